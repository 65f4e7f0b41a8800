"""Writes into every case of this folder what the real DSPy sends.

    python generate.py            rewrite the messages in every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    signature.dsp   the program in dspi
    python.py       the same in Python: defines `signature`, and `module` if it is not dspy.Predict,
                    and `convert` if inputs and demos must be made from the objects below
    demos.json      a list of objects
    inputs.json     an object

and, written by this script and never by hand, what each adapter of DSPy sends:

    messages.json             ChatAdapter
    json.messages.json        JSONAdapter
    xml.messages.json         XMLAdapter
    two_step.messages.json    TwoStepAdapter
    two_step.extraction.json  the second call of TwoStepAdapter, when the first reply is REPLY

A case that differs on purpose holds its own messages, too: messages.dspi.json,
json.messages.dspi.json and so on. The cases in the folder talk hold media and
histories; there a content may be a list of blocks.

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


REPLY = "The first reply.\n\nIt has [[ ## marks ## ]] and «quotes»."


class Speaker(dspy.BaseLM):
    """Answers REPLY to everything."""

    def __init__(self):
        super().__init__(model="speaker")

    def __call__(self, prompt=None, messages=None, **kwargs):
        return [REPLY]


ADAPTERS = {
    "messages.json": lambda: (Recorder(), dspy.ChatAdapter()),
    "json.messages.json": lambda: (Recorder(), dspy.JSONAdapter()),
    "xml.messages.json": lambda: (Recorder(), dspy.XMLAdapter()),
    "two_step.messages.json": lambda: (Recorder(), dspy.TwoStepAdapter(Recorder())),
    "two_step.extraction.json": lambda: (Speaker(), dspy.TwoStepAdapter(Recorder())),
}


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


def messages(files, model, adapter):
    scope = {"__name__": "case"}
    exec(compile(files["python.py"], "python.py", "exec"), scope)
    convert = scope.get("convert", lambda example: example)
    module = scope.get("module") or dspy.Predict(scope["signature"])
    (predictor,) = module.predictors()
    predictor.demos = [convert(demo) for demo in json.loads(files["demos.json"])]
    with dspy.context(lm=model, adapter=adapter, warn_on_type_mismatch=False):
        try:
            module(**convert(json.loads(files["inputs.json"])))
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
    for path in sorted(folder.rglob("*.txtar")):
        if names and path.stem not in names:
            continue
        old = path.read_text(encoding="utf-8")
        comment, files = read_txtar(old)
        total += 1
        differing += "differs:" in comment
        for name, adapter in ADAPTERS.items():
            own = files.pop(name.replace(".json", ".dspi.json"), None)
            files.pop(name, None)  # to its place in the order
            files[name] = json.dumps(messages(files, *adapter()), ensure_ascii=False, indent=2)
            if own is not None:
                files[name.replace(".json", ".dspi.json")] = own
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
