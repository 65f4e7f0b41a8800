"""Writes into every case of this folder what the real DSPy's ReAct sends and gives.

    python generate.py            rewrite the calls and outputs in every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    program.dsp          the program in dspi, with its tools
    python.py            the same in Python: defines `module`; the tools below are there
    inputs.json          an object
    replies.json         what the model answers, in order: texts, or {"full": true} where
                         the prompt does not fit into its context
    replies.dspi.json    the same for dspi, where it asks otherwise

and, written by this script and never by hand,

    state.json           what the tuned module saves, where python.py defines `tune(module)`:
                         the module that is called has loaded it
    calls.json           the messages of each call
    outputs.json         the outputs

A case that differs on purpose says so (`differs:`) and holds its own calls, too:
calls.dspi.json. In one thing all cases differ: where DSPy shows the model a traceback of
Python, which names files of the machine, only the text of the error stands here, and so
it is in dspi.
"""

import json
import logging
import pathlib
import sys
from typing import Any, Literal, Optional

import dspy
import dspy.predict.react
import pydantic

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from conversations import WANTED, Script, read_txtar, tuned, write_txtar  # noqa: E402
logging.getLogger("dspy").setLevel(logging.ERROR)  # of prompts that are too long, which is what the cases are about

dspy.predict.react.format_error_for_lm = lambda error, traceback_frames=0: str(error)


def search(query: str, k: int = 3) -> list[str]:
    """Search the notes."""
    return [f"{query} {n}" for n in range(1, k + 1)]


def add(a: float, b: float) -> float:
    """Add two numbers.
    Both are needed."""
    return a + b


def lookup(place: Literal["Paris", "Rome"], detail: Optional[str] = None) -> dict[str, Any]:
    """What is known of a place."""
    return {"place": place, "people": 2100000 if place == "Paris" else 2750000, "detail": detail}


def mend(parts: list[str]) -> str:
    """Mend what is broken."""
    raise ValueError("the workshop is closed")


def read(page: int) -> str:
    """Read a page."""
    return f"Page {page}.\n\nIt has [[ ## marks ## ]] and «quotes»."


def converse(files):
    scope = {"dspy": dspy, "Script": Script, "search": search, "add": add, "lookup": lookup, "mend": mend, "read": read}
    module, state = tuned(files, scope)
    model = Script(json.loads(files["replies.json"]))
    adapter = {"chat": dspy.ChatAdapter, "json": dspy.JSONAdapter, "xml": dspy.XMLAdapter}[scope.get("adapter", "chat")]()
    with dspy.context(lm=model, adapter=adapter, warn_on_type_mismatch=False):
        prediction = module(**json.loads(files["inputs.json"]))
    if model.replies:
        raise RuntimeError(f"{len(model.replies)} replies are left")
    outputs = {k: v for k, v in prediction.items() if k not in ("trajectory", "reasoning")}
    return state, model.calls, outputs


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the cases are made with {WANTED}: pip install dspy=={WANTED}")
    check = "--check" in arguments
    names = {a.removesuffix(".txtar") for a in arguments if not a.startswith("-")}
    changed, total, differing = [], 0, 0
    for path in sorted(pathlib.Path(__file__).parent.rglob("*.txtar")):
        if names and path.stem not in names:
            continue
        old = path.read_text(encoding="utf-8")
        comment, files = read_txtar(old)
        total += 1
        differing += "differs:" in comment
        own = files.pop("calls.dspi.json", None)
        state, calls, outputs = converse(files)
        files.pop("state.json", None)
        if state:
            files["state.json"] = state
        for name, made in {"calls.json": calls, "outputs.json": outputs}.items():
            files.pop(name, None)  # to its place in the order
            files[name] = json.dumps(made, ensure_ascii=False, indent=2)
        if own is not None:
            files["calls.dspi.json"] = own
        new = write_txtar(comment, files)
        if new != old:
            changed.append(path.name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if names and total != len(names):
        sys.exit("no such case among: " + " ".join(sorted(names)))
    verb = "would change" if check else "rewritten"
    print(f"dspy {dspy.__version__}, pydantic {pydantic.VERSION}: {total} conversations, {differing} differ on purpose, {len(changed)} {verb}")
    for name in changed:
        print("  " + name)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
