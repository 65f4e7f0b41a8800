"""Writes what the real SIMBA and GEPA do with scripted models into simba.json and gepa.json.

    python reflective.py            rewrite them
    python reflective.py --check    only compare; exit 1 if they would change

Each case is a whole compile: every call of the program's model (a digest of it, each
once, in their order), every question of the optimizer in full, and what came out.
SIMBA shows the source of the program, which is Python here: in its place stands
(source).
"""

import hashlib
import logging
import re

import dspy
import script
from gepa.strategies.instruction_proposal import InstructionProposalSignature

logging.disable(logging.CRITICAL)
dspy.configure(adapter=dspy.ChatAdapter(use_json_adapter_fallback=False))


class Chain(dspy.Module):
    """Two predictors, the second with reasoning."""

    def __init__(self):
        super().__init__()
        self.step1 = dspy.Predict("question -> hint")
        self.step2 = dspy.ChainOfThought("question, hint -> answer")

    def forward(self, question):
        return self.step2(question=question, hint=self.step1(question=question).hint)


class Single(dspy.Module):
    """One predictor."""

    def __init__(self):
        super().__init__()
        self.step1 = dspy.Predict("question -> answer")

    def forward(self, question):
        return self.step1(question=question)


def text_of(messages):
    return "".join(f"{m['role']}\n{m['content']}\n\n" for m in messages)


def fails(messages, rollout):
    """Whether a call, about one in twelve, has a reply that cannot be read."""
    return hashlib.sha256(f"{text_of(messages)}{rollout} fails".encode()).digest()[0] < 21


def without_source(message):
    """A message in which (source) stands for the Python of the program."""
    if message["role"] != "user":
        return {"role": message["role"], "content": message["content"]}
    pattern = r"(\[\[ ## program_code ## \]\]\n).*?(\n\n\[\[ ## modules_defn ## \]\])"
    content = re.sub(pattern, lambda m: m[1] + "(source)" + m[2], message["content"], flags=re.S)
    return {"role": message["role"], "content": content}


def advice(names):
    """A model that gives advice to the predictors of these names."""

    def answer(messages, rollout):
        d = hashlib.sha256(text_of(messages).encode()).digest()
        said = ", ".join(f'"{name}": "Think of w{d[i] % 5}."' for i, name in enumerate(names))
        return f"[[ ## discussion ## ]]\nw{d[9] % 5}\n\n[[ ## module_advice ## ]]\n{{{said}}}\n\n[[ ## completed ## ]]"

    return answer


def instructions(messages, rollout):
    """A model that writes instructions, in one of the forms in which models do."""
    d = hashlib.sha256(text_of(messages).encode()).digest()
    text = f"Answer with w{d[0] % 5}.\nThink of {d[1]}."
    forms = ["Here:\n```\n{}\n```\nDone.", "```text\n{}\n```", "```{}```", "{}", "```\n{}", "  {}\n```", "```a```\n{} ```b```"]
    return forms[d[2] % len(forms)].format(text)


class Model(script.Script):
    """A script.Script that may be given a text, and may answer what cannot be read."""

    def __init__(self, answer, failing=False):
        super().__init__(lambda m, rollout: "no answer" if failing and fails(m, rollout) else answer(m, rollout))

    def __call__(self, prompt=None, messages=None, **kwargs):
        messages = [without_source(m) for m in messages or [{"role": "user", "content": prompt}]]
        return super().__call__(messages=messages, **kwargs)


def digests(calls):
    """Each call once, in their order."""
    out = {}
    for c in calls:
        t = "" if c["temperature"] is None else f"{c['temperature']:.2f}"
        out[hashlib.sha256(f"{text_of(c['messages'])}{c['rollout']} {t}".encode()).hexdigest()[:12]] = None
    return list(out)


def questions(calls):
    """The messages of calls; of equal ones the first."""
    out = {}
    for c in calls:
        out.setdefault(text_of(c["messages"]), c["messages"])
    return list(out.values())


def closeness(row, outputs):
    return 1 - (int(row.answer[1:]) - int(outputs.answer[1:])) % 5 / 4


def scored(feedback):
    def metric(row, outputs, trace=None, pred_name=None, pred_trace=None):
        score = closeness(row, outputs)
        if not feedback:
            return score
        return dspy.Prediction(score=score, feedback=f"Wanted {row.answer}, got {outputs.answer}.")

    return metric


def tuned(program):
    return [
        {"name": name, "instructions": p.signature.instructions, "demos": script.demos(p)}
        for name, p in program.named_predictors()
    ]


def simba(program, rows, *, feedback=False, failing=False, seed=0, teacher=False, **settings):
    model = Model(script.hashed, failing)
    student = program()
    names = [name for name, _ in student.named_predictors()]
    adviser = Model(advice(names))
    dspy.configure(lm=model)
    if teacher:
        settings["teacher_settings"] = {"lm": Model(script.hashed)}
    optimizer = dspy.SIMBA(metric=scored(feedback), prompt_model=adviser, num_threads=1, **settings)
    found = optimizer.compile(student, trainset=script.numbered("train", rows, 5), seed=seed)
    return {
        "program": program.__name__,
        "rows": rows,
        "feedback": feedback,
        "failing": failing,
        "seed": seed,
        "settings": {
            "batch": settings["bsize"],
            "candidates": settings["num_candidates"],
            "max_steps": settings["max_steps"],
            "max_demos": settings.get("max_demos", 4),
            "demo_input_max_length": settings.get("demo_input_field_maxlen", 100_000),
            "temperature_for_sampling": settings.get("temperature_for_sampling", 0.2),
            "temperature_for_candidates": settings.get("temperature_for_candidates", 0.2),
        },
        "calls": digests(model.calls),
        "asked": questions(adviser.calls),
        "scores": [c["score"] for c in found.candidate_programs],
        "found": tuned(found),
    }


def gepa(program, train, dev, *, feedback=False, failing=False, seed=0, **settings):
    model = Model(script.hashed, failing)
    writer = Model(instructions)
    dspy.configure(lm=model)
    student = program()
    optimizer = dspy.GEPA(metric=scored(feedback), reflection_lm=writer, num_threads=1, track_stats=True, seed=seed, **settings)
    found = optimizer.compile(
        student, trainset=script.numbered("train", train, 5), valset=script.numbered("dev", dev, 5) if dev else None
    )
    result = found.detailed_results
    names = {"candidate_selection_strategy": "candidate_selection"}
    return {
        "program": program.__name__,
        "train": train,
        "dev": dev,
        "feedback": feedback,
        "failing": failing,
        "seed": seed,
        "settings": {names.get(k, k): v for k, v in settings.items()},
        "calls": digests(model.calls),
        "asked": questions(writer.calls),
        "budget": optimizer.max_metric_calls,
        "metric_calls": result.total_metric_calls,
        "parents": [[p for p in parents if p is not None] for parents in result.parents],
        "means": result.val_aggregate_scores,
        "found": tuned(found),
    }


def budgets():
    """The formula of the budget."""
    optimizer = dspy.GEPA(metric=scored(False), auto="light", reflection_lm=Model(instructions))
    return [
        {"predictors": p, "candidates": n, "rows": rows, "calls": optimizer.auto_budget(p, n, rows)}
        for p in (1, 2, 3, 7)
        for n in (6, 12, 18)
        for rows in (0, 1, 8, 50, 100, 311)
    ]


REPLIES = [
    "Here:\n```\nDo this.\nAnd that.\n```\nBye.",
    "```text\nDo this.\n```",
    "```Do this.```",
    "```do\nthis```",
    "``` do\nthis```",
    "```\u00a0do\n this ```",
    "  Do this.  ",
    "\x1cDo this.\x1f",
    "```\nDo this.",
    "```markdown\nDo this.",
    "```markdown Do this.",
    "Do this.\n```",
    "Do this.``` Or that.",
    "```a```\nb ```c```",
    "```\n```",
    "``````",
    "`````",
    "````\nDo this.\n````",
    "",
]


def read(reply):
    return InstructionProposalSignature.run(lm=lambda prompt: reply, input_dict={"current_instruction_doc": "", "dataset_with_feedback": []})


script.write(
    "simba.json",
    {
        "single": simba(Single, 12, bsize=4, num_candidates=3, max_steps=3),
        "chain": simba(Chain, 14, bsize=5, num_candidates=4, max_steps=4, max_demos=2),
        "feedback": simba(Chain, 10, feedback=True, bsize=4, num_candidates=3, max_steps=3, temperature_for_sampling=0.7),
        "rules only": simba(Chain, 9, bsize=3, num_candidates=3, max_steps=4, max_demos=0, seed=3),
        "failures": simba(Chain, 12, failing=True, bsize=6, num_candidates=5, max_steps=3, seed=5),
        "truncated": simba(Single, 8, bsize=4, num_candidates=2, max_steps=3, demo_input_field_maxlen=7),
        "one model": simba(Single, 6, bsize=3, num_candidates=1, max_steps=2),
        "long": simba(Chain, 20, bsize=4, num_candidates=6, max_steps=8, temperature_for_candidates=0.1, seed=7),
    },
)
script.write(
    "gepa.json",
    {
        "budgets": budgets(),
        "replies": [{"reply": r, "read": read(r)["new_instruction"]} for r in REPLIES],
        "cases": {
            "single": gepa(Single, 10, 6, max_metric_calls=90),
            "chain": gepa(Chain, 9, 7, max_metric_calls=160, feedback=True),
            "all": gepa(Chain, 8, 5, max_metric_calls=140, component_selector="all", seed=1),
            "best": gepa(Chain, 8, 8, max_full_evals=9, candidate_selection_strategy="current_best", reflection_minibatch_size=4),
            "few": gepa(Single, 2, 4, max_metric_calls=60, seed=4),
            "no dev": gepa(Chain, 7, 0, max_full_evals=14, seed=2),
            "no merge": gepa(Chain, 6, 6, max_metric_calls=120, use_merge=False, skip_perfect_score=False),
            "merges": gepa(Chain, 12, 9, max_metric_calls=150, feedback=True, seed=14),
            "merge, then more": gepa(Chain, 12, 9, max_metric_calls=200, feedback=True, seed=32),
            "merge that is not kept": gepa(Chain, 12, 9, max_metric_calls=150, feedback=True, seed=18),
            "light": gepa(Chain, 12, 6, auto="light", seed=6),
            "failures": gepa(Chain, 9, 8, max_metric_calls=150, failing=True, feedback=True, seed=3),
        },
    },
)
