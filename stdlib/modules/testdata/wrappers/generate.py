"""Writes into every case of this folder what the real DSPy asks, and what it answers.

    python generate.py            rewrite calls and outputs in every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    program.dsp    the program in dspi
    python.py      the same in Python: defines `run(**inputs)`, which returns a prediction
    inputs.json    an object
    replies.json   what the model answers, one call after another: an object of outputs

and, written by this script and never by hand:

    calls.json     each call: its messages, and its temperature where one is given
    outputs.json   what the module gave

Two inputs of Refine's adviser hold Python, which a program of dspi has none of:
`program_code` and `reward_code`. In their place stands (source).
"""

import importlib.util
import json
import pathlib
import re
import sys
import tempfile

import dspy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from conversations import WANTED, read_txtar, write_txtar  # noqa: E402
CALLS = []
REPLIES = []


def reply(outputs):
    fields = [f"[[ ## {name} ## ]]\n{v if isinstance(v, str) else json.dumps(v)}" for name, v in outputs.items()]
    return "\n\n".join(fields + ["[[ ## completed ## ]]\n"])


class Scripted(dspy.BaseLM):
    """Answers with one of REPLIES after another, and records what it is asked."""

    def __init__(self):
        super().__init__(model="scripted")
        self.kwargs = {}

    def __call__(self, prompt=None, messages=None, **kwargs):
        settings = {**self.kwargs, **kwargs}
        call = {"messages": [{"role": m["role"], "content": without_source(m["content"])} for m in messages]}
        if settings.get("temperature") is not None:
            call["temperature"] = settings["temperature"]
        CALLS.append(call)
        return [reply(REPLIES[len(CALLS) - 1])]


def without_source(text):
    for name, following in (("program_code", "modules_defn"), ("reward_code", "target_threshold")):
        pattern = rf"(\[\[ ## {name} ## \]\]\n).*?(\n\n\[\[ ## {following} ## \]\])"
        if "[[ ## module_names ## ]]\n[" in text:  # not where the form is explained
            text = re.sub(pattern, r"\1(source)\2", text, flags=re.DOTALL)
    return text


def play(name, files):
    """Runs the case in Python: its calls and outputs."""
    CALLS.clear()
    REPLIES[:] = json.loads(files["replies.json"])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"case_{name}.py"  # a file, because Refine reads its source
        path.write_text(files["python.py"], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        case = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = case
        with dspy.context(lm=Scripted(), adapter=dspy.ChatAdapter()):
            spec.loader.exec_module(case)
            prediction = case.run(**json.loads(files["inputs.json"]))
    if len(CALLS) != len(REPLIES):
        sys.exit(f"{name}: {len(CALLS)} calls for {len(REPLIES)} replies")
    return CALLS, dict(prediction)


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the cases are made with {WANTED}: pip install dspy=={WANTED}")
    check = "--check" in arguments
    names = {a.removesuffix(".txtar") for a in arguments if not a.startswith("-")}
    stale = []
    for path in sorted(pathlib.Path(__file__).parent.glob("*.txtar")):
        if names and path.stem not in names:
            continue
        old = path.read_text(encoding="utf-8")
        comment, files = read_txtar(old)
        calls, outputs = play(path.stem, files)
        files["calls.json"] = json.dumps(calls, indent=2, ensure_ascii=False)
        files["outputs.json"] = json.dumps(outputs, indent=2, ensure_ascii=False)
        new = write_txtar(comment, files)
        if new != old:
            stale.append(path.name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if check and stale:
        sys.exit("not what DSPy asks: " + ", ".join(stale))
    print(f"{len(stale)} changed")


if __name__ == "__main__":
    main(sys.argv[1:])
