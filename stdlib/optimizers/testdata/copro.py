"""Writes what DSPy's COPRO does with scripted models into copro.json.

    python copro.py            rewrite it
    python copro.py --check    only compare; exit 1 if it would change
"""

import contextlib
import io
import re

import dspy
from few_shot import One, Two
from script import Script, hashed, numbered, same_answer, write


class Thought(dspy.Module):
    def __init__(self):
        super().__init__()
        self.step1 = dspy.ChainOfThought("question -> answer")

    def forward(self, question):
        return self.step1(question=question)


class Writer(Script):
    """A model that gives as many replies as it is asked for."""

    def __call__(self, prompt=None, messages=None, **kwargs):
        messages = [{"role": m["role"], "content": m["content"]} for m in messages]
        settings = {**self.kwargs, **kwargs}
        n = settings.get("n", 1)
        self.calls.append({"messages": messages, "n": n, "temperature": settings.get("temperature")})
        return [self.answer(messages, k) for k in range(n)]


def written(messages, k):
    """What the model writes: many words, some of them between quotation marks."""
    return re.sub(r"w(\d+)", lambda m: f' "{m[0]} " ' if int(m[1]) % 3 == 0 else m[0], hashed(messages, k, 200))


PROGRAMS = {"one": One, "two": Two, "thought": Thought}


def case(name, program, rows, k, **settings):
    dspy.configure(lm=Script())
    writer = Writer(written)
    train = numbered("train", rows, k)
    with contextlib.redirect_stdout(io.StringIO()):
        found = dspy.COPRO(prompt_model=writer, metric=same_answer, **settings).compile(
            PROGRAMS[program](), trainset=train, eval_kwargs={"num_threads": 1, "display_progress": False}
        )
    return {
        "name": name,
        "program": program,
        "rows": rows,
        "k": k,
        "settings": settings,
        "calls": writer.calls,
        "measured": found.total_calls,
        "instructions": [p.signature.instructions for p in found.predictors()],
        "scores": [c["score"] for c in found.candidate_programs],
    }


if __name__ == "__main__":
    write(
        "copro.json",
        [
            case("one", "one", 12, 3, breadth=4, depth=3),
            case("defaults", "one", 7, 3),
            case("thought", "thought", 12, 2, breadth=5, depth=2, init_temperature=0.9),
            case("two", "two", 12, 3, breadth=3, depth=3),
            case("once", "two", 9, 3, breadth=2, depth=1),
        ],
    )
