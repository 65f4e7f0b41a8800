"""Writes in which order Python's sets yield numbers into sets.json.

    python sets.py            rewrite it
    python sets.py --check    only compare; exit 1 if it would change
"""

import json
import pathlib
import random
import sys


def case(n, most, seed):
    r = random.Random(seed)
    added = [r.randrange(most) for _ in range(n)]
    others = [r.randrange(most) for _ in range(n)]
    s, o = set(), set()
    for x in added:
        s.add(x)
    for x in others:
        o.add(x)
    return {
        "added": added,
        "others": others,
        "list": list(s),
        "copy": list(set(s)),
        "some": list({x for x in set(s) if x % 3}),
        "and": list(s & o),
    }


path = pathlib.Path(__file__).parent / "sets.json"
cases = [case(n, most, n * 1000 + most) for n in (0, 1, 2, 3, 4, 5, 6, 12, 18, 19, 20, 40, 90) for most in (3, 9, 20, 70, 200, 5000)]
text = "[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n"
if "--check" in sys.argv:
    if path.read_text() != text:
        sys.exit(f"{path.name} is not what this Python yields")
else:
    path.write_text(text)
