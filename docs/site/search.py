"""Asks the search index of a site that was built: python search.py FOLDER.

Every page of docs/ is in it, and words lead to the pages that one would look for.
"""

import json
import pathlib
import re
import sys

site = pathlib.Path(sys.argv[1])
docs = pathlib.Path(__file__).parent.parent

index = json.loads(re.fullmatch(r"(?s)Search\.setIndex\((.*)\)", (site / "searchindex.js").read_text().strip())[1])
names = index["docnames"]

missing = {str(p.relative_to(docs).with_suffix("")) for p in docs.rglob("*.md")} - set(names)
if missing:
    sys.exit(f"the search does not know {sorted(missing)}")


def pages(word):
    """The pages that hold a word, in their text or their titles."""
    found = set()
    for terms in index["terms"], index["titleterms"]:
        at = terms.get(word, [])
        found.update(names[i] for i in ([at] if isinstance(at, int) else at))
    return found


for word, page in [
    ("major", "cookbook/majority"),  # words are kept as stems
    ("gateway", "cookbook/gateway"),
    ("citat", "guides/rag"),
    ("e0201", "diagnostics/E0201"),
    ("for_each", "reference/steps"),
]:
    if page not in pages(word):
        sys.exit(f"a search for {word!r} does not find {page}, but {sorted(pages(word))[:5]}")
