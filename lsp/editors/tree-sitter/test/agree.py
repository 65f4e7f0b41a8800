"""Compares the grammar with `dspi check`: a file has an ERROR or MISSING node if
and only if the checker reports a mistake of syntax in it.

    agree.py DSPI ROOT [-v]

DSPI is the built command, ROOT the checkout. Read are the examples whole, each
truncated at many bytes, each with one byte left out at many places, the blocks of
code in the pages under docs/, and the test data of the parser and the checker.
A whole example with an ERROR fails, and so do fewer than 98 of 100 files that agree.
"""

import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import language

# Codes of what the parser, and the reader of expressions, cannot read. E0121
# (another language's spelling) counts unless it stands at a single word: that is
# a name, and only the checker knows names.
SYNTAX = {f"E01{n:02}" for n in range(1, 17)} | {"E0124"}
CUTS = 150  # truncations of one example, and as many with a byte left out


def fences(page):
    """Yields the blocks of dspi code in a page of Markdown."""
    for block in re.finditer(r"^( *)```dsp[i]?[^\n]*\n(.*?)^\1```", page, re.M | re.S):
        yield re.sub(f"^{block[1]}", "", block[2], flags=re.M)


def txtar(text):
    """Yields the .dsp files of an archive, and its other parts."""
    parts = re.split(r"^-- (.+?) --\n", text, flags=re.M)
    for name, body in zip(parts[1::2], parts[2::2]):
        if name.endswith((".json", ".golden", ".txt", ".out", ".hcl", ".dspvars", ".py", ".csv", ".jsonl")):
            continue
        yield name, body


def gather(root):
    """Returns groups of (name, bytes)."""
    groups = collections.OrderedDict()
    examples = sorted(root.glob("examples/**/*.dsp")) + [root / "lsp/editors/testdata/every.dsp"]
    whole = [(str(p.relative_to(root)), p.read_bytes()) for p in examples]
    groups["examples"] = whole
    docs = []
    for page in sorted(root.glob("docs/**/*.md")) + [root / "README.md"]:
        for i, text in enumerate(fences(page.read_text())):
            docs.append((f"{page.relative_to(root)}#{i + 1}", text.encode()))
    groups["pages"] = docs
    cut, left = [], []
    draw = random.Random(7)
    for name, text in whole:
        step = max(1, len(text) // CUTS)
        for i in range(0, len(text), step):
            cut.append((f"{name}@{i}", text[:i]))
        for i in draw.sample(range(len(text)), min(CUTS, len(text))):
            left.append((f"{name}-{i}", text[:i] + text[i + 1:]))
    groups["truncated"] = cut
    groups["one byte left out"] = left
    data = []
    for p in sorted(root.glob("lang/check/testdata/**/*")) + sorted(root.glob("parser/testdata/*")):
        if p.suffix == ".dsp":
            data.append((str(p.relative_to(root)), p.read_bytes()))
        elif p.suffix == ".txtar":
            for name, body in txtar(p.read_text()):
                data.append((f"{p.relative_to(root)}:{name}", body.encode()))
    groups["test data"] = data
    return groups


def check(dspi, files):
    """Returns, for each file, the codes of syntax that `dspi check` reports."""
    found = [set() for _ in files]
    with tempfile.TemporaryDirectory() as folder:
        for at in range(0, len(files), 200):
            names = []
            for i in range(at, min(at + 200, len(files))):
                path = pathlib.Path(folder, f"f{i}.dsp")
                path.write_bytes(files[i][1])
                names.append(str(path))
            run = subprocess.run([dspi, "check", "--json", *names], capture_output=True, cwd=folder)
            if run.returncode not in (0, 1):
                sys.exit(f"dspi check: exit status {run.returncode}\n{run.stderr.decode()}")
            for d in json.loads(run.stdout)["diagnostics"] or []:
                place = d["primary"]
                if not place["file"]:
                    continue  # of no file
                i = int(pathlib.Path(place["file"]).stem[1:])
                text = files[i][1][place["start"]["byte"]:place["end"]["byte"]]
                if d["code"] in SYNTAX or d["code"] == "E0121" and not re.fullmatch(rb"\w+", text):
                    found[i].add(d["code"])
    return found


def main():
    dspi, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    verbose = "-v" in sys.argv
    parser = language.parser()
    bad, same, total = [], 0, 0
    for group, files in gather(root).items():
        codes = check(dspi, files)
        agree = 0
        for (name, text), reported in zip(files, codes):
            wrong = list(language.mistakes(parser.parse(text).root_node))
            if group == "examples" and (wrong or reported):
                bad.append(f"{name}: {wrong[:1] or sorted(reported)}")
            if bool(wrong) == bool(reported):
                agree += 1
            elif verbose:
                where = f"ERROR at {wrong[0].start_point}" if wrong else f"check reports {sorted(reported)}"
                print(f"  {name}: {where}")
        same += agree
        total += len(files)
        print(f"{group}: {agree} of {len(files)} files agree")
    share = same / total
    print(f"tree-sitter and dspi check agree on {same} of {total} files ({100 * share:.2f} %)")
    for line in bad:
        print("mistake in a whole example:", line)
    if bad or share < 0.98:
        sys.exit(1)


main()
