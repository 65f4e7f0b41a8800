"""DSPy's few-shot optimizers on the rows of files, for TestResultsTuneDSPy.

    tune.py BASE_URL KEY JOBS.json

JOBS is a list of {optimizer, train, dev, test, labels}; train, dev and test are files of
JSON lines with text and category. For each job a line is printed: the optimizer, which
test rows came out right, and how many calls were made until the program was tuned.
"""

import json
import sys
import typing

import dspy
import numpy


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [dspy.Example(**json.loads(line)).with_inputs("text") for line in f]


def correct(example, prediction, trace=None):
    return example.category == prediction.category


class Sort(dspy.Module):
    def __init__(self, labels):
        super().__init__()
        kind = typing.Literal[tuple(labels)]
        self.sort = dspy.Predict(dspy.Signature({"text": (str, dspy.InputField()), "category": (kind, dspy.OutputField())}))

    def forward(self, text):
        return self.sort(text=text)


class Counting(dspy.LM):
    calls = 0

    def forward(self, *args, **kwargs):
        Counting.calls += 1
        return super().forward(*args, **kwargs)


def words(texts):
    """Texts as vectors of their words, weighted by how rare they are among all that were seen."""
    split = [[w.strip(".,?!'\"").lower() for w in t.split()] for t in texts]
    for w in (w for s in split for w in s):
        words.index.setdefault(w, len(words.index))
    out = numpy.zeros((len(texts), 8192), dtype=numpy.float32)
    for i, s in enumerate(split):
        for w in s:
            out[i, words.index[w] % 8192] += 1
    return out / numpy.maximum(numpy.linalg.norm(out, axis=1, keepdims=True), 1e-9)


words.index = {}


def tuned(name, program, train, dev):
    if name == "labeled_few_shot":
        return dspy.LabeledFewShot(k=64).compile(program, trainset=train)
    if name == "bootstrap_few_shot":
        return dspy.BootstrapFewShot(metric=correct, max_bootstrapped_demos=4, max_labeled_demos=16).compile(program, trainset=train)
    if name == "bootstrap_few_shot_with_random_search":
        made = dspy.BootstrapFewShotWithRandomSearch(metric=correct, num_candidate_programs=4, num_threads=4)
        return made.compile(program, trainset=train, valset=dev)
    if name == "knn_few_shot":
        return dspy.KNNFewShot(k=3, trainset=train, vectorizer=dspy.Embedder(words), metric=correct).compile(program)
    raise SystemExit(f"no optimizer {name}")


def main():
    base, key, jobs = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3], encoding="utf-8"))
    dspy.configure(lm=Counting("openai/builtin/incontext", api_base=base, api_key=key, cache=False, temperature=0.0, num_retries=0))
    for job in jobs:
        train, dev, test = rows(job["train"]), rows(job["dev"]), rows(job["test"])
        Counting.calls = 0
        program = tuned(job["optimizer"], Sort(job["labels"]), train, dev)
        calls = Counting.calls
        pairs = [(program, x.inputs()) for x in test]
        given = dspy.Parallel(num_threads=4, disable_progress_bar=True, max_errors=len(pairs))(pairs)
        right = [bool(p is not None and correct(x, p)) for x, p in zip(test, given)]
        print(json.dumps({"optimizer": job["optimizer"], "right": right, "calls": calls}), flush=True)


main()
