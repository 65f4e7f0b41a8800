"""Writes dspy.json: what DSPy's metrics say of 1,000 random pairs, and what its judges
ask a model.

    python generate_dspy.py            rewrite dspy.json
    python generate_dspy.py --check    only compare; exit 1 if it would change
"""

import json
import pathlib
import random
import sys

import dspy
from dspy.evaluate.auto_evaluation import CompleteAndGrounded, SemanticF1
from dspy.evaluate.metrics import EM, F1, answer_passage_match

WANTED = "3.3.1"
HERE = pathlib.Path(__file__).parent
WORDS = ("a the an The AN river Seine Paris paris café cafe\u0301 naïve 3.14 1,000 U.S. it's rock-n-roll _x_ A-team $5 "
         "«x» … — Ünïcode ß I\u0307 日本 end. (in) the\tA \n an. “quote” theatre 'tis ²").split(" ")


def text(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, 7)))


def near(rng, s):
    words = s.split(" ")
    rng.shuffle(words)
    return " ".join(words[: rng.randint(0, len(words))]).upper() if rng.random() < 0.5 else s


class Prediction:
    pass


def pairs():
    rng = random.Random(5)
    out = []
    for _ in range(1000):
        answer = text(rng)
        expected = [near(rng, answer) if rng.random() < 0.6 else text(rng) for _ in range(rng.randint(1, 3))]
        passages = [text(rng) + " " + rng.choice(expected) for _ in range(rng.randint(0, 2))]
        found = answer_passage_match(dspy.Example(answer=expected), dspy.Prediction(context=passages))
        out.append({"answer": answer, "expected": expected, "passages": passages,
                    "em": bool(EM(answer, expected)), "f1": F1(answer, expected), "passage_match": bool(found)})
    return out


class Scripted(dspy.BaseLM):
    def __init__(self, replies):
        super().__init__(model="scripted")
        self.kwargs, self.replies, self.calls = {}, replies, []

    def __call__(self, prompt=None, messages=None, **kwargs):
        self.calls.append([{"role": m["role"], "content": m["content"]} for m in messages])
        outputs = self.replies[len(self.calls) - 1]
        return ["\n\n".join([f"[[ ## {k} ## ]]\n{v}" for k, v in outputs.items()] + ["[[ ## completed ## ]]"])]


def judged(module, replies, context):
    lm = Scripted(replies)
    example = dspy.Example(question="Which river?", response="The Seine.")
    with dspy.context(lm=lm):
        score = module(example, dspy.Prediction(response="It is the Seine, in Paris.", context=context)).score
    return {"replies": replies, "context": context, "calls": lm.calls, "score": score}


def judges():
    whole = {"reasoning": "r", "ground_truth_key_ideas": "k", "system_response_key_ideas": "s", "discussion": "d", "completeness": 0.75}
    claims = {"reasoning": "r", "system_response_claims": "c", "discussion": "d", "groundedness": 1.5}
    return {
        "semantic_f1": [judged(SemanticF1(), [{"reasoning": "r", "recall": x, "precision": y}], []) for x, y in [(1.0, 0.5), (0.0, 0.0), (-1, 3)]],
        "complete_and_grounded": [judged(CompleteAndGrounded(), [whole, claims], c) for c in ([], ["One passage."], ["One.", "Two\nlines."])],
    }


def main():
    if dspy.__version__ != WANTED:
        sys.exit(f"dspy {WANTED} is wanted, and this is {dspy.__version__}")
    text = json.dumps({"dspy": WANTED, "pairs": pairs(), "judges": judges()}, indent=1) + "\n"
    path = HERE / "dspy.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{path.name} is not what dspy {WANTED} says")


main()
