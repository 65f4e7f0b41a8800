"""Writes replies.json: what the real DSPy reads from replies.

    python generate.py            rewrite replies.json
    python generate.py --check    only compare; exit 1 if it would change

Two tables: `values` reads each text as each type, under the header of a field
`x`; `replies` reads whole replies with several fields. No model is called.
"""

import enum
import json
import pathlib
import sys
from typing import Any, Literal, Optional, Union

import dspy
import pydantic
from pydantic import BaseModel

WANTED = "3.3.1"


class Queue(enum.Enum):
    refunds = "refunds"
    lost_card = "lost card"


class Person(BaseModel):
    name: str
    age: int
    email: Optional[str]


TYPES = {
    "string": str,
    "string?": Optional[str],
    "int": int,
    "int?": Optional[int],
    "float": float,
    "bool": bool,
    "json": Any,
    "literal": Literal["angry", "happy"],
    "literal?": Optional[Literal["angry", "happy"]],
    "numbers": Literal[1, 2],
    "enum": Queue,
    "enum?": Optional[Queue],
    "list[string]": list[str],
    "list[int]": list[int],
    "list[enum]": list[Queue],
    "map[int]": dict[str, int],
    "person": Person,
    "person?": Optional[Person],
    "list[person]": list[Person],
    "int|string": Union[int, str],
    "int|bool": Union[int, bool],
}

TEXTS = [
    "", "42", " 42 ", "+42", "-7", "007", "1_000", "1__0", "5.0", "5.5", "5.", ".5", "1e3", "1,000", "50%", "$5", "0x10",
    "true", "True", "TRUE", "false", "yes", "no", "on", "off", "y", "t", "1", "0", "2", "null", "None", "none", "NaN", "inf",
    "hello", "hello world", '"hello"', "'hello'", '"42"', "'42'", '"true"', '"null"', "«hello»", "two\nlines",
    "angry", " happy ", '"happy"', "'angry'", "Happy", "Literal[happy]", "Literal['happy']", 'str["happy"]', "happy.",
    "refunds", "lost card", "lost_card", "Lost card", '"lost card"', "Queue.refunds",
    "[]", "[1, 2]", '["a", "b"]', "['a', 'b']", "['a', \"b's\"]", "[1, 2,]", "(1, 2)", "(1)", "[1, '2']", "[1.0, 2.5]", "[True, None]",
    '["refunds", "lost card"]', '["lost_card"]', "a, b", "- a\n- b", "[[1], [2]]", '```json\n[1, 2]\n```', "```\n[\"a\"]\n```",
    "{}", '{"a": 1}', "{'a': 1}", "{'a': '1',}", '{"a": 1, "b": 2.0}', '{"a": "x"}', 'Here: {"a": 1} done',
    '{"name": "Eva", "age": 31, "email": null}', "{'name': 'Eva', 'age': '31', 'email': None}",
    '{"name": "Eva", "age": 31}', '{"name": "Eva", "age": 31, "email": "e@x", "extra": 1}', '{"name": "Eva", "age": "x", "email": null}',
    '[{"name": "Eva", "age": 31, "email": null}]', '```json\n{"name": "Eva", "age": 31, "email": null}\n```',
    '{\n  "name": "Zoë \\"Z\\" \\u00e9",\n  "age": 4,\n  "email": "a\\nb"\n}', "[1, 2", '{"a": 1',
]

REPLIES = [
    "[[ ## answer ## ]]\nParis\n\n[[ ## score ## ]]\n3\n\n[[ ## note ## ]]\nn\n\n[[ ## completed ## ]]\n",
    "[[ ## score ## ]]\n3\n[[ ## answer ## ]]\nParis",
    "Sure!\n\n[[ ## answer ## ]] Paris\n[[ ## score ## ]] 3",
    "[[ ## answer ## ]] Paris\nis big\n\n[[ ## score ## ]]\n\n\n3\n\n",
    "[[ ## answer ## ]]\nfirst\n[[ ## answer ## ]]\nsecond\n[[ ## score ## ]]\n1",
    "[[ ## answer ## ]]\na\n[[ ## unknown ## ]]\nskipped\n[[ ## score ## ]]\n1\n[[ ## completed ## ]]\nafter",
    "[[ ## answer ## ]]\nsee [[ ## score ## ]] here\n[[ ## score ## ]]\n2",
    "[[ ## answer ## ]]\r\na\r\nb\r\n[[ ## score ## ]]\r\n2\r\n",
    "[[ ## answer ## ]]\n\n[[ ## score ## ]]\n2",
    "[[ ## answer ## ]]\na",
    "[[ ## answer ## ]]\na\n[[ ## score ## ]]\nmany",
    "[[## answer ##]]\na\n[[ ## score ## ]]\n2",
    "[[ ## Answer ## ]]\na\n[[ ## score ## ]]\n2",
    "Paris, 3",
    '{"answer": "a", "score": 2}',
    "[[ ## note ## ]]\nx\n[[ ## score ## ]]\n2\n[[ ## answer ## ]]\na\n\n\n  b  \n\n\n[[ ## completed ## ]]",
    "[[ ## answer ## ]]\na\n[[ ## score ## ]]\n2\n[[ ## completed ## ]]\n[[ ## note ## ]]\nlate",
]


def plain(value):
    if isinstance(value, enum.Enum):
        return value.name  # dspi holds enum values by name
    if isinstance(value, BaseModel):
        return {k: plain(v) for k, v in value}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def parsed(signature, reply):
    try:
        value = plain(dspy.ChatAdapter().parse(signature, reply))
        return {"read": json.loads(json.dumps(value, allow_nan=False))}
    except Exception:  # noqa: BLE001: every way to fail is one answer
        return {"refused": True}


def tables():
    values = []
    for name, annotation in TYPES.items():
        signature = dspy.Signature({"q": (str, dspy.InputField()), "x": (annotation, dspy.OutputField())}, "Read.")
        for text in TEXTS:
            values.append({"type": name, "text": text, **parsed(signature, f"[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]\n")})
    signature = dspy.Signature("question -> answer: str, score: int, note: Optional[str]")
    replies = [{"reply": reply, **parsed(signature, reply)} for reply in REPLIES]
    return values, replies


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the table is made with {WANTED}: pip install dspy=={WANTED}")
    values, replies = tables()
    lines = lambda rows: ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)  # noqa: E731
    new = f'{{"dspy": "{WANTED}",\n"values": [\n{lines(values)}\n],\n"replies": [\n{lines(replies)}\n]}}\n'
    path = pathlib.Path(__file__).parent / "replies.json"
    same = path.exists() and path.read_text(encoding="utf-8") == new
    if "--check" not in arguments:
        path.write_text(new, encoding="utf-8")
    print(f"dspy {WANTED}, pydantic {pydantic.VERSION}: {len(values)} values, {len(replies)} replies, {'current' if same else 'changed'}")
    return 1 if "--check" in arguments and not same else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
