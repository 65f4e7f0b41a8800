"""What the generators of the folders here share: cases as txtar, a model that follows a
script, and what a tuned module saves."""

import json
import pathlib
import tempfile

import dspy
import orjson
from dspy.utils.exceptions import ContextWindowExceededError

WANTED = "3.3.1"
VERSIONS = {"python": "3.11", "dspy": WANTED, "cloudpickle": "3.1"}


class Script(dspy.BaseLM):
    """Gives the replies and keeps the messages."""

    def __init__(self, replies):
        super().__init__(model="script")
        self.replies, self.calls = list(replies), []

    def __call__(self, prompt=None, messages=None, **kwargs):
        self.calls.append([{"role": m["role"], "content": m["content"]} for m in messages])
        if not self.replies:
            raise RuntimeError("no reply is left")
        reply = self.replies.pop(0)
        if isinstance(reply, dict):
            raise ContextWindowExceededError(message="the prompt is too long")
        return [reply]


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


def tuned(files, scope):
    """The module, and what its `save` writes: where python.py has `tune`, one that loaded
    what a tuned one saved."""
    def make():
        exec(compile(files["python.py"], "python.py", "exec"), scope)
        return scope["module"]

    module = make()
    if "tune" not in scope:
        return module, None
    scope["tune"](module)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "state.json"
        module.save(path)
        state = json.loads(path.read_text(encoding="utf-8"))
        module = make()
        module.load(path)
    state["metadata"] = {"dependency_versions": VERSIONS}
    return module, orjson.dumps(state, option=orjson.OPT_INDENT_2).decode() + "\n"
