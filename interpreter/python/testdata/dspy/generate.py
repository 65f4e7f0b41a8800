"""Writes what the real DSPy says about the programs of this folder.

    python generate.py            rewrite the made parts of every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    program.py      a program in DSPy, called `program`
    inputs.json     what it is called with
    replies.json    what the model answers, call after call: outputs by field name
    inspect.json    what dspi's inspect.py says of it    (made here)
    state.json      what `program.save` writes           (made here)
    calls.json      the messages that DSPy sends, with the replies, of the program that
                    loaded its saved state               (made here)
    program.dsp     the program that dspi imports        (made by go test -update)
    exported.py     the module that dspi exports again   (made by go test -update)
    exported.json   and its state                        (made by go test -update)

The last two are loaded and called, too: they must send the messages of calls.json.
A case whose forward dspi cannot read has `opaque:` before its comment, and no calls.
One that begins with `ours:` is a program of dspi's own: its program.dsp is written by
hand, and calls.json is what DSPy sends for exported.py.
Nothing is sent anywhere: the model is one that records and answers from replies.json.
"""

import importlib.util
import json
import logging
import pathlib
import sys
import tempfile

import dspy
import orjson
import pydantic

sys.dont_write_bytecode = True
WANTED = "3.3.1"
HERE = pathlib.Path(__file__).parent
VERSIONS = {"python": "3.11", "dspy": WANTED, "cloudpickle": "3.1"}


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


inspector = load(HERE.parent.parent / "inspect.py", "dspi_inspect")


class Recorder(dspy.BaseLM):
    """Answers with the next reply and keeps what it was asked."""

    def __init__(self, replies):
        super().__init__(model="recorder", cache=False)
        self.replies, self.calls = list(replies), []

    def forward(self, prompt=None, messages=None, **kwargs):
        if len(self.calls) == len(self.replies):
            raise RuntimeError(f"call {len(self.calls) + 1}, and only {len(self.replies)} replies")
        fields = self.replies[len(self.calls)]
        text = "".join(f"[[ ## {k} ## ]]\n{v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}\n\n" for k, v in fields.items())
        text += "[[ ## completed ## ]]\n"
        self.calls.append({"messages": [{"role": m["role"], "content": m["content"]} for m in messages], "reply": text})
        return answer(text)


def answer(text):
    from types import SimpleNamespace as N

    message = N(content=text, tool_calls=None, reasoning_content=None)
    return N(choices=[N(message=message, finish_reason="stop", logprobs=None)], usage={}, model="recorder")


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


def dumps(v):
    return json.dumps(v, ensure_ascii=False, indent=2)


def calls(program, inputs, replies):
    lm = Recorder(replies)
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False), warn_on_type_mismatch=False):
        program(**inputs)
    if len(lm.calls) != len(replies):
        raise RuntimeError(f"{len(lm.calls)} calls and {len(replies)} replies")
    return lm.calls


MISSING = "no exported.py yet: go test ./interpreter/python -update"


def run(name, comment, files, folder):
    """Returns the files anew, and what the exported module does otherwise."""
    if comment.startswith("ours:"):
        if "exported.py" not in files:
            return files, [MISSING]
        path, saved = folder / f"{name}.py", folder / f"{name}.json"
        path.write_text(files["exported.py"], encoding="utf-8")
        saved.write_text(files["exported.json"], encoding="utf-8")
        program = load(path, name).program
        inputs, replies = json.loads(files["inputs.json"]), json.loads(files["replies.json"])
        fresh = calls(program, inputs, replies)
        program.load(saved)
        files["calls.json"] = dumps(calls(program, inputs, replies))
        return files, [] if dumps(fresh) == files["calls.json"] else ["exported.py: its state changes what it sends"]
    path = folder / f"{name}.py"
    path.write_text(files["program.py"], encoding="utf-8")
    program = load(path, name).program
    description = inspector.describe(program, f"{name}:program", "program")
    description["state"]["metadata"]["dependency_versions"] = VERSIONS
    description["notes"] = [n.replace(str(folder), "") for n in description["notes"]]
    files["inspect.json"] = dumps(description)
    saved = folder / f"{name}.json"
    program.save(saved)
    state = orjson.loads(saved.read_bytes())
    state["metadata"]["dependency_versions"] = VERSIONS
    files["state.json"] = orjson.dumps(state, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    faults = []
    if comment.startswith("opaque:"):
        return files, faults
    inputs, replies = json.loads(files["inputs.json"]), json.loads(files["replies.json"])
    loaded = program.deepcopy()
    loaded.load(saved)
    sent = calls(loaded, inputs, replies)
    files["calls.json"] = dumps(sent)
    if "exported.py" not in files:
        return files, [MISSING]
    path = folder / f"{name}_exported.py"
    path.write_text(files["exported.py"], encoding="utf-8")
    exported = load(path, f"{name}_exported").program
    try:
        plain = [c["reply"] for c in calls(exported, inputs, replies)]
        saved.write_text(files["exported.json"], encoding="utf-8")
        exported.load(saved)
        again = calls(exported, inputs, replies)
    except Exception as e:
        return files, [f"exported.py: {type(e).__name__}: {e}"]
    if len(plain) != len(sent):
        faults.append("exported.py makes other calls before it has loaded its state")
    for i, (a, b) in enumerate(zip(sent, again, strict=True)):
        for m, n in zip(a["messages"], b["messages"]):
            if m != n:
                faults.append(f"exported.py: call {i + 1} sends\n{n['content']}\nand not\n{m['content']}")
        if len(a["messages"]) != len(b["messages"]):
            faults.append(f"exported.py: call {i + 1} has {len(b['messages'])} messages, not {len(a['messages'])}")
    return files, faults


ORDER = ["program.py", "inputs.json", "replies.json", "inspect.json", "state.json", "calls.json", "program.dsp", "exported.py", "exported.json"]


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the cases are made with {WANTED}: pip install dspy=={WANTED}")
    logging.disable(logging.WARNING)
    check = "--check" in arguments
    names = {a.removesuffix(".txtar") for a in arguments if not a.startswith("-")}
    changed, wrong, total = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(HERE.glob("*.txtar")):
            if names and path.stem not in names:
                continue
            total += 1
            old = path.read_text(encoding="utf-8")
            comment, files = read_txtar(old)
            try:
                files, faults = run(path.stem, comment, files, pathlib.Path(folder))
            except Exception as e:
                raise RuntimeError(f"{path.name}: {e}") from e
            wrong += [f"{path.name}: {f}" for f in faults]
            new = write_txtar(comment, {n: files[n] for n in ORDER if n in files})
            if new != old:
                changed.append(path.name)
                if not check:
                    path.write_text(new, encoding="utf-8")
    if names and total != len(names):
        sys.exit("no such case among: " + " ".join(sorted(names)))
    verb = "would change" if check else "rewritten"
    print(f"dspy {dspy.__version__}, pydantic {pydantic.VERSION}: {total} programs, {len(changed)} {verb}, {len(wrong)} exported otherwise")
    for line in changed + wrong:
        print("  " + line)
    return 1 if check and (wrong or changed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
