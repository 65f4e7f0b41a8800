"""Prints what the highlights query says of each character of files, as JSON: for
each file a text as long as it, in UTF-16 units, of `c` (comment), `s` (string),
`k` (word of the language) and `.` (anything else).

    categories.py FILE …
"""

import json
import pathlib
import sys

import language
from tree_sitter import Query, QueryCursor

LETTERS = {"comment": "c", "string": "s", "keyword": "k"}


def letter(capture):
    return "s" if capture == "string.escape" else LETTERS.get(capture.split(".")[0], ".")


def main():
    lang = language.language()
    parser = language.parser(lang)
    query = Query(lang, (language.FOLDER / "queries/highlights.scm").read_text())
    out = {}
    for name in sys.argv[1:]:
        text = pathlib.Path(name).read_bytes()
        root = parser.parse(text).root_node
        marks = bytearray(b"." * len(text))
        captures = []
        for pattern, found in QueryCursor(query).matches(root):
            for capture, nodes in found.items():
                captures += [(n.start_byte, -n.end_byte, pattern, capture) for n in nodes if not capture.startswith("_")]
        for start, end, _, capture in sorted(captures):  # inner ones later, and later patterns
            marks[start:-end] = letter(capture).encode() * (-end - start)
        units, at = [], 0
        for char in text.decode():
            units.append(chr(marks[at]) * (2 if ord(char) > 0xFFFF else 1))
            at += len(char.encode())
        out[name] = "".join(units)
    json.dump(out, sys.stdout)


main()
