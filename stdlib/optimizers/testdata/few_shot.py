"""Writes what DSPy's few-shot optimizers do with scripted models into few_shot.json.

    python few_shot.py            rewrite it
    python few_shot.py --check    only compare; exit 1 if it would change

Each case says how the optimizer is set up; few_shot_test.go sets ours up the same way.
"""

import contextlib
import hashlib
import io

import dspy
from script import Script, demos, hashed, numbered, same_answer, write


class One(dspy.Module):
    def __init__(self):
        super().__init__()
        self.step1 = dspy.Predict("question -> answer")

    def forward(self, question):
        return self.step1(question=question)


class Two(dspy.Module):
    def __init__(self):
        super().__init__()
        self.step1 = dspy.ChainOfThought("question -> query")
        self.step2 = dspy.Predict("question, query -> answer")

    def forward(self, question):
        query = self.step1(question=question).query
        return self.step2(question=question, query=query)


class Loop(dspy.Module):
    """Asks its first predictor three times."""

    def __init__(self):
        super().__init__()
        self.step1 = dspy.ChainOfThought("question, notes -> query")
        self.step2 = dspy.Predict("question, notes -> answer")

    def forward(self, question):
        notes = ""
        for _ in range(3):
            notes = self.step1(question=question, notes=notes).query
        return self.step2(question=question, notes=notes)


def failing(messages, rollout):
    """A model that has no reply to every third question."""
    if "question 2" in messages[-1]["content"] or "question 5" in messages[-1]["content"]:
        raise RuntimeError("no reply")
    return hashed(messages, rollout)


def short(call):
    text = "".join(f"{m['role']}\n{m['content']}\n\n" for m in call["messages"])
    heat = "-" if call["temperature"] is None else call["temperature"]
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]} {call['rollout']} {heat}"


def graded(row, outputs, trace=None):
    """A metric between 0 and 1: the last digit of the answer, of 4."""
    return int(outputs.answer[-1]) / 4


class Measured(dspy.InferRules):
    """Keeps the instructions of each candidate as they are when it is measured.

    DSPy's candidates share one signature, so what it returns has the instructions of the
    last candidate and not of the best. The golden has those of the best."""

    def __init__(self, out, **kwargs):
        super().__init__(**kwargs)
        self.out, self.best = out, -1
        out["measured"] = []

    def evaluate_program(self, program, dataset):
        score = super().evaluate_program(program, dataset)
        instructions = [p.signature.instructions for p in program.predictors()]
        self.out["measured"].append(score)
        if score > self.best:
            self.best, self.out["instructions"] = score, instructions
        return score


METRICS = {"same": same_answer, "graded": graded}
PROGRAMS = {"one": One, "two": Two, "loop": Loop}


def case(name, optimizer, program, rows, settings, metric="same", dev=0, answer=hashed, teacher=False, k=5, twice=False):
    script = Script(answer)
    dspy.configure(lm=script)
    train = numbered("train", rows, k) * (2 if twice else 1)
    out = {"name": name, "optimizer": optimizer, "program": program, "rows": rows, "k": k, "dev": dev, "metric": metric,
           "settings": settings, "failing": answer is failing, "teacher": teacher, "twice": twice}
    student = PROGRAMS[program]()
    teachers = Script(lambda messages, rollout: hashed(messages, rollout + 1000), "teacher") if teacher else None
    extra = {"teacher_settings": {"lm": teachers}} if teacher else {}
    metric = METRICS[metric]
    args = {a: settings[a] for a in ("max_bootstrapped_demos", "max_labeled_demos", "max_rounds", "metric_threshold") if a in settings}
    if optimizer == "labeled_few_shot":
        found = dspy.LabeledFewShot(k=settings["k"]).compile(student, trainset=train, sample=settings.get("sample", True))
    elif optimizer == "bootstrap_few_shot":
        found = dspy.BootstrapFewShot(metric=metric, max_errors=1000, **args, **extra).compile(student, trainset=train)
    elif optimizer == "bootstrap_few_shot_with_random_search":
        found = dspy.BootstrapFewShotWithRandomSearch(
            metric=metric, num_candidate_programs=settings["candidates"], num_threads=1, max_errors=1000,
            stop_at_score=settings["stop_at_score"] * 100 if "stop_at_score" in settings else None, **args, **extra,
        ).compile(student, trainset=train, valset=numbered("dev", dev, k) or None)
        out["tried"] = [
            {"score": c["subscores"], "demos": [demos(p) for p in c["program"].predictors()]}
            for c in sorted(found.candidate_programs, key=lambda c: c["seed"])
        ]
    elif optimizer == "infer_rules":
        found = Measured(
            out, metric=metric, num_candidates=settings["candidates"], num_rules=settings["rules"], num_threads=1, max_errors=1000, **args,
        ).compile(student, trainset=train, valset=numbered("dev", dev, k) or None)
        out["asked"] = [c for c in script.calls if "Induced natural language rules" in c["messages"][0]["content"]]
    out.setdefault("instructions", [])
    out["instructions"] = out["instructions"] or [p.signature.instructions for p in found.predictors()]
    out["demos"] = [demos(p) for p in found.predictors()]
    out["calls"] = [short(c) for c in script.calls] if answer is not failing else []
    out["teacher_calls"] = [short(c) for c in teachers.calls] if teachers else []
    if "asked" in out:  # of the rest only the count is compared: an equal run is not run again here
        out["calls"] = sorted(set(out["calls"]))
    if "tried" in out:
        out["calls"] = sorted(set(out["calls"]))
    return out


with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    cases = [
        case("labeled", "labeled_few_shot", "two", 30, {"k": 4}),
        case("labeled: fewer rows", "labeled_few_shot", "two", 3, {"k": 16}),
        case("labeled: the first", "labeled_few_shot", "one", 10, {"k": 4, "sample": False}),
        case("bootstrap", "bootstrap_few_shot", "one", 30, {}),
        case("bootstrap: rounds", "bootstrap_few_shot", "one", 30, {"max_rounds": 3, "max_bootstrapped_demos": 6, "max_labeled_demos": 8}),
        case("bootstrap: few rows", "bootstrap_few_shot", "one", 5, {"max_rounds": 2}),
        case("bootstrap: two steps", "bootstrap_few_shot", "two", 40, {"max_bootstrapped_demos": 3, "max_labeled_demos": 7}),
        case("bootstrap: no labels", "bootstrap_few_shot", "two", 40, {"max_bootstrapped_demos": 2, "max_labeled_demos": 0}),
        case("bootstrap: more than labelled", "bootstrap_few_shot", "two", 40, {"max_bootstrapped_demos": 5, "max_labeled_demos": 2}),
        case("bootstrap: a threshold", "bootstrap_few_shot", "one", 30, {"metric_threshold": 0.75}, metric="graded"),
        case("bootstrap: a threshold of 0", "bootstrap_few_shot", "one", 30, {"metric_threshold": 0}, metric="graded"),
        case("bootstrap: several calls", "bootstrap_few_shot", "loop", 60, {"max_bootstrapped_demos": 8, "max_labeled_demos": 9, "max_rounds": 2}),
        case("bootstrap: rows that fail", "bootstrap_few_shot", "one", 30, {"max_rounds": 2}, answer=failing),
        case("bootstrap: a teacher", "bootstrap_few_shot", "two", 30, {"max_rounds": 2}, teacher=True),
        case("bootstrap: each row twice", "bootstrap_few_shot", "two", 8, {"max_bootstrapped_demos": 3, "max_labeled_demos": 16}, k=3, twice=True),
        case("search", "bootstrap_few_shot_with_random_search", "one", 30,
             {"candidates": 5, "max_bootstrapped_demos": 3, "max_labeled_demos": 6}, dev=20),
        case("search: two steps, graded", "bootstrap_few_shot_with_random_search", "two", 25,
             {"candidates": 6, "max_bootstrapped_demos": 4, "max_labeled_demos": 4, "max_rounds": 2}, metric="graded", dev=10),
        case("search: stops", "bootstrap_few_shot_with_random_search", "one", 25,
             {"candidates": 6, "max_bootstrapped_demos": 2, "max_labeled_demos": 4, "stop_at_score": 0.5}, metric="graded", dev=10),
        case("search: no dev rows", "bootstrap_few_shot_with_random_search", "one", 15,
             {"candidates": 3, "max_bootstrapped_demos": 2, "max_labeled_demos": 4}, k=3),
        case("rules", "infer_rules", "two", 12, {"candidates": 3, "rules": 5, "max_bootstrapped_demos": 2, "max_labeled_demos": 4}, metric="graded", dev=10),
        case("rules: no dev rows", "infer_rules", "one", 12, {"candidates": 4, "rules": 10}, metric="graded"),
    ]
write("few_shot.json", cases)
