"""Writes what DSPy seeds its choice with, for demos of all kinds, into digest.json.

    python digest.py            rewrite it
    python digest.py --check    only compare; exit 1 if it would change
"""

import json
import pickle

import dspy
from dspy.utils.hasher import Hasher
from script import write

CASES = [
    [({"question": "a"}, {"answer": "b"}), ({"question": "c"}, {"answer": "d"})],
    [({"question": "where"}, {"answer": "Rome"})] * 3,
    [({"question": "Größe", "notes": ""}, {"answer": "東京 🙂"}), ({"question": "Größe", "notes": "東京 🙂"}, {"answer": "é"})] * 2,
    [({"n": 7, "m": 255, "k": 256}, {"x": 65536, "y": -1, "z": 2**31}), ({"n": -(2**31), "m": -(2**31) - 1, "k": 2**40}, {"x": 127, "y": -128, "z": -(2**47)})],
    [({"f": 1.5, "b": True, "o": None}, {"g": -2e300, "c": False}), ({"f": 0.1, "b": False, "o": None}, {"g": 0.0, "c": True})],
    [({"list": ["one", 2, [], ["x"]]}, {"map": {"a": 1, "longer": ["two", "two"], "none": {}}}), ({"list": ["one", 2, [], ["x"]]}, {"map": {"only": "one"}})],
    [({"text": "long " * 100}, {"answer": "word " * 300}), ({"text": "word " * 300}, {"answer": "long " * 100})],
    [({"many": [f"item {i}" for i in range(2001)]}, {"answer": "yes"}), ({"many": [f"item {i}" for i in range(1000)]}, {"answer": "yes"})],
    [({f"input{i}": f"value {i} {j}" for i in range(20)}, {f"output{i}": f"value {i} {j}" for i in range(20)}) for j in range(12)],
]


def fresh(v):
    """A value that shares no object with another one."""
    return json.loads(json.dumps(v))


def digest(case):
    known, demos, names = [], [], {}

    def taken(v):  # an input is the value before it that is equal
        for x in reversed(known):
            if type(x) is type(v) and x == v:
                return x
        known.append(fresh(v))
        return known[-1]

    for inputs, outputs in case:
        store = {names.setdefault(k, k): taken(v) for k, v in inputs.items()}
        for k, v in outputs.items():
            known.append(fresh(v))
            store[names.setdefault(k, k)] = known[-1]
        demos.append(dspy.Example(augmented=True, **store))
    return Hasher.hash_bytes(pickle.dumps(tuple(demos), protocol=4))


write("digest.json", [{"asked": case, "digest": digest(case)} for case in CASES])
