"""Runs the corpus under test/corpus with the committed parser, compiles every
query, and makes sure that src/ was made from this grammar.js.

    corpus.py
"""

import hashlib
import re
import sys

import language
from tree_sitter import Query

FOLDER = language.FOLDER
CASE = re.compile(r"^=+\n(?P<head>.*?)\n=+\n(?P<text>.*?)\n-+\n(?P<tree>.*?)(?=^=+\n|\Z)", re.M | re.S)


def shape(tree):
    """Returns a tree of the corpus in one line, without the names of fields."""
    return re.sub(r"\s+", " ", re.sub(r"\w+: ", "", tree)).replace(" )", ")").strip()


def written(node):
    """Returns a node as the corpus writes it, in one line."""
    return "(" + " ".join([node.type, *map(written, node.named_children)]) + ")"


def main():
    failed = passed = 0
    lang = language.language()
    parser = language.parser(lang)
    for path in sorted((FOLDER / "test/corpus").glob("*.txt")):
        for case in CASE.finditer(path.read_text()):
            title, _, attribute = case["head"].partition("\n")
            root = parser.parse(case["text"].strip("\n").encode() + b"\n").root_node
            got = written(root)
            ok = root.has_error if attribute == ":error" else got == shape(case["tree"])
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"{path.name}: {title}\n  got  {got}\n  want {shape(case['tree']) or 'an ERROR'}")
    queries = sorted((FOLDER / "queries").glob("*.scm"))
    editors = [p for where in ("neovim/queries/dspi", "zed/languages/dspi") for p in sorted((FOLDER.parent / where).glob("*.scm"))]
    for path in queries + editors:
        Query(lang, path.read_text())  # raises what is wrong with it
        passed += 1
    texts = {path.name: path.read_text() for path in queries}
    for path in editors:
        if "zed" in path.parts and path.name in ("brackets.scm", "indents.scm", "outline.scm"):
            continue  # of Zed's own kind
        if path.read_text() != texts.get(path.name):
            print(f"{path.relative_to(FOLDER.parent)} is no copy of queries/{path.name}: run `make tree-sitter`")
            failed += 1
    made = (FOLDER / "src/grammar.sha256").read_text().split()[0]
    if made != hashlib.sha256((FOLDER / "grammar.js").read_bytes()).hexdigest():
        print("src/ was made from another grammar.js: run `make tree-sitter`")
        failed += 1
    print(f"tree-sitter: {passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
