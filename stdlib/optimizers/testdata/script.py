"""The scripted models of the optimizers' goldens, and what writes the goldens."""

import hashlib
import json
import logging
import pathlib
import re
import sys

import dspy

WANTED = "3.3.1"


def hashed(messages, rollout, n=5):
    """The reply that study_test.go has under this name."""
    text = "".join(f"{m['role']}\n{m['content']}\n\n" for m in messages) + str(rollout)
    last = messages[-1]["content"].rsplit("\n", 1)[-1]
    reply = ""
    for name in re.findall(r"\[\[ ## (\w+) ## \]\]", last):
        if name != "completed":
            digest = hashlib.sha256(f"{text}\n{name}".encode()).digest()
            reply += f"[[ ## {name} ## ]]\nw{digest[0] % n}\n\n"
    return reply + "[[ ## completed ## ]]"


class Script(dspy.BaseLM):
    """A model that is a function of the messages and the rollout, and keeps its calls.

    What it keeps belongs to all its copies."""

    def __init__(self, answer=hashed, name="script"):
        super().__init__(model=name)
        self.answer, self.calls = answer, []

    def __call__(self, prompt=None, messages=None, **kwargs):
        messages = [{"role": m["role"], "content": m["content"]} for m in messages]
        settings = {**self.kwargs, **kwargs}
        rollout = settings.get("rollout_id") or 0
        self.calls.append({"messages": messages, "rollout": rollout, "temperature": settings.get("temperature")})
        return [self.answer(messages, rollout)]


def numbered(name, n, k):
    """The rows that study_test.go has under this name."""
    return [dspy.Example(question=f"{name} question {i}", answer=f"w{i % k}").with_inputs("question") for i in range(n)]


def same_answer(row, outputs, trace=None):
    return float(outputs.answer == row.answer)


def demos(predictor):
    """The demos of a predictor, each with what its signature shows of it."""
    out = []
    for d in predictor.demos:
        shown = {k: v for k, v in d.items() if k in predictor.signature.fields}
        out.append({"augmented": bool(d.get("augmented", False)), "values": shown})
    return out


def write(path, cases):
    """Writes a golden, or compares it: --check."""
    if dspy.__version__ != WANTED:
        sys.exit(f"DSPy {dspy.__version__} is installed; the goldens are of {WANTED}")
    text = json.dumps(cases, indent=1, ensure_ascii=False) + "\n"
    path = pathlib.Path(__file__).parent / path
    if "--check" not in sys.argv:
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        sys.exit(f"{path.name} is not what DSPy does")


logging.getLogger("dspy").setLevel(logging.CRITICAL)
