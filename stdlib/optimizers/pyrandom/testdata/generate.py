"""Writes what Python's own random.Random draws into draws.json.

    python generate.py            rewrite it
    python generate.py --check    only compare; exit 1 if it would change
"""

import json
import pathlib
import random
import sys

SEEDS = [0, 1, 2, 9, 42, -7, 2**31, 2**32, 2**32 + 5, 2**52 + 1, "", "a", "dspy", "3f0c" * 16, "Größe 東京"]


def draws(seed):
    def fresh():
        return random.Random(seed)

    r = fresh()
    out = {"seed": seed, "random": [r.random() for _ in range(5)], "bits": [r.getrandbits(k) for k in (1, 7, 32, 33, 53, 64)]}
    r = fresh()
    for _ in range(1300):  # past a refill of the state
        last = r.getrandbits(32)
    out["late"] = last
    r = fresh()
    out["randint"] = [r.randint(a, b) for a, b in ((0, 0), (1, 4), (0, 10**9), (-3, 3), (0, 2**40))]
    out["sample"] = []
    for n, k in ((1, 1), (5, 5), (10, 3), (21, 5), (22, 5), (30, 6), (100, 16), (300, 16), (1000, 60), (5000, 21)):
        out["sample"].append([n, k, r.sample(range(n), k)])
    out["shuffle"] = []
    for n in (0, 1, 2, 10, 50):
        rows = list(range(n))
        r.shuffle(rows)
        out["shuffle"].append(rows)
    out["choice"] = [r.choice(range(n)) for n in (1, 2, 3, 17)]
    out["choices"] = [r.choices(range(4), weights=[0.1, 2, 0, 1.5], k=6), r.choices(range(7), k=6)]
    out["uniform"] = r.uniform(-2, 3)
    return out


path = pathlib.Path(__file__).parent / "draws.json"
text = "[\n" + ",\n".join(json.dumps(draws(s)) for s in SEEDS) + "\n]\n"
if "--check" in sys.argv:
    if path.read_text() != text:
        sys.exit(f"{path.name} is not what this Python draws")
else:
    path.write_text(text)
