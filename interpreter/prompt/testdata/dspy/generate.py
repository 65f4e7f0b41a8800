"""Writes messages.json in every case of this folder: what the real DSPy sends.

    python generate.py            rewrite messages.json in every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    signature.dsp   the program in dspi
    python.py       the same in Python: defines `signature`, and `module` if it is not dspy.Predict
    demos.json      a list of objects
    inputs.json     an object
    messages.json   what DSPy sends: written by this script, never by hand

The messages are taken where DSPy hands them to the language model: a model that
records them and stops the call. Nothing is sent anywhere.
"""

import json
import pathlib
import sys

import dspy
import pydantic

WANTED = "3.3.1"


class Recorded(BaseException):
    """Stops the call. Not an Exception, so that no adapter falls back to another."""

    def __init__(self, messages):
        self.messages = messages


class Recorder(dspy.BaseLM):
    def __init__(self):
        super().__init__(model="recorder")

    def forward(self, prompt=None, messages=None, **kwargs):
        raise Recorded(messages)


def read_txtar(text):
    """Returns the comment and a dict of the files, in order."""
    comment, files, name = [], {}, None
    for line in text.split("\n"):
        if line.startswith("-- ") and line.endswith(" --"):
            name = line[3:-3].strip()
            files[name] = []
        elif name is None:
            comment.append(line)
        else:
            files[name].append(line)
    return "\n".join(comment), {name: "\n".join(lines) for name, lines in files.items()}


def write_txtar(comment, files):
    parts = [comment.rstrip("\n") + "\n"]
    for name, text in files.items():
        text = text.rstrip("\n")
        parts.append(f"-- {name} --\n{text}\n" if text else f"-- {name} --\n")
    return "".join(parts)


def messages(files):
    scope = {"__name__": "case"}
    exec(compile(files["python.py"], "python.py", "exec"), scope)
    module = scope.get("module") or dspy.Predict(scope["signature"])
    (predictor,) = module.predictors()
    predictor.demos = json.loads(files["demos.json"])
    with dspy.context(lm=Recorder(), adapter=dspy.ChatAdapter(), warn_on_type_mismatch=False):
        try:
            module(**json.loads(files["inputs.json"]))
        except Recorded as call:
            return [{"role": m["role"], "content": m["content"]} for m in call.messages]
    raise RuntimeError("the model was not called")


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the cases are made with {WANTED}: pip install dspy=={WANTED}")
    check = "--check" in arguments
    names = {a.removesuffix(".txtar") for a in arguments if not a.startswith("-")}
    folder = pathlib.Path(__file__).parent
    changed, total, differing = [], 0, 0
    for path in sorted(folder.glob("*.txtar")):
        if names and path.stem not in names:
            continue
        old = path.read_text(encoding="utf-8")
        comment, files = read_txtar(old)
        total += 1
        differing += "differs:" in comment
        own = files.pop("messages.dspi.json", None)
        files["messages.json"] = json.dumps(messages(files), ensure_ascii=False, indent=2)
        if own is not None:
            files["messages.dspi.json"] = own
        new = write_txtar(comment, files)
        if new != old:
            changed.append(path.name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if names and total != len(names):
        sys.exit("no such case among: " + " ".join(sorted(names)))
    verb = "would change" if check else "rewritten"
    print(f"dspy {dspy.__version__}, pydantic {pydantic.VERSION}: {total} cases, {differing} differ on purpose, {len(changed)} {verb}")
    for name in changed:
        print("  " + name)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
