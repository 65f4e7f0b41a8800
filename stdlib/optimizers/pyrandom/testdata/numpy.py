"""Writes what numpy's default_rng draws into numpy.json.

    python numpy.py            rewrite it
    python numpy.py --check    only compare; exit 1 if it would change
"""

import json
import pathlib
import sys

here = str(pathlib.Path(__file__).parent)
sys.path = [p for p in sys.path if p != here]  # this file is not numpy
import numpy as np  # noqa: E402

SEEDS = [0, 1, 9, 12345, 2**32 - 1, 2**32, 2**40 + 7]
MEANS = [0.0, 0.25, 0.5, 1.0, 4 / 3, 3.0, 9.9] * 4


def draws(seed):
    r = np.random.default_rng(seed)
    raw = [str(x) for x in r.bit_generator.random_raw(4).tolist()]
    return {"seed": seed, "raw": raw, "random": r.random(3).tolist(), "poisson": [int(r.poisson(m)) for m in MEANS]}


path = pathlib.Path(__file__).parent / "numpy.json"
text = json.dumps({"means": MEANS, "draws": [draws(s) for s in SEEDS]}, indent=1) + "\n"
if "--check" in sys.argv:
    if path.read_text() != text:
        sys.exit(f"{path.name} is not what this numpy draws")
else:
    path.write_text(text)
