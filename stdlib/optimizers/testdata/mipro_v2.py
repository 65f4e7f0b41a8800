"""Writes what DSPy's MIPROv2 does with scripted models into mipro_v2.json: the messages
to the model that writes instructions, the demos, the instructions, and which rows are
measured in which order. Which combinations they are measured with is the search's.

    python mipro_v2.py            rewrite it
    python mipro_v2.py --check    only compare; exit 1 if it would change
"""

import contextlib
import io
import re

import dspy
import dspy.propose.grounded_proposer as grounded
import dspy.teleprompt.mipro_optimizer_v2 as mipro
import dspy.teleprompt.utils as utils
from copro import Thought
from dspy.propose.dataset_summary_generator import order_input_keys_in_string
from dspy.propose.utils import create_example_string, strip_prefix
from few_shot import One, Two
from script import Script, hashed, numbered, same_answer, write

PROGRAMS = {"one": One, "two": Two, "thought": Thought}


def told(messages, rollout):
    """What the model says: with nothing new, between quotation marks, after a heading."""

    def vary(m):
        return ["COMPLETE, nothing new", f'"{m[0]}"', f"Here is the text: {m[0]}", m[0]][int(m[1]) % 4]

    return re.sub(r"w(\d+)", vary, hashed(messages, rollout, 200))


class Watched(dspy.MIPROv2):
    """MIPROv2 that keeps what its first two steps give."""

    def _bootstrap_fewshot_examples(self, program, *args, **kwargs):
        found = super()._bootstrap_fewshot_examples(program, *args, **kwargs)
        self.sets = []
        for i, p in enumerate(program.predictors()):
            self.sets.append(
                [
                    [
                        {
                            "augmented": bool(d.get("augmented", False)),
                            "values": {k: v for k, v in d.items() if k in p.signature.fields},
                        }
                        for d in demos
                    ]
                    for demos in found[i]
                ]
            )
        return found

    def _propose_instructions(self, *args, **kwargs):
        found = super()._propose_instructions(*args, **kwargs)
        self.proposed = [list(found[i]) for i in sorted(found)]
        return found


def case(name, program, rows, dev, compile=None, **settings):
    dspy.configure(lm=Script())
    writer = Script(told, "writer")
    train, val = numbered("train", rows, 5), numbered("dev", dev, 5)
    measured, passed = [], []

    def evaluated(size, valset, program, evaluate, rng=None):
        held = len(measured)
        found = utils_evaluate(size, valset, program, evaluate, rng)
        if len(measured) == held:
            measured.append([row.question for row in valset])
        return found

    def batch(*args, **kwargs):
        drawn = utils_batch(*args, **kwargs)
        measured.append([row.question for row in drawn])
        return drawn

    def one(self, demo_set_i, **kwargs):
        before = len(writer.calls)
        found = propose(self, demo_set_i=demo_set_i, **kwargs)
        if demo_set_i == 0:  # MIPROv2 puts the program's own instructions in its place
            passed.extend(range(before, len(writer.calls)))
        return found

    utils_evaluate, utils_batch, propose = utils.eval_candidate_program, utils.create_minibatch, grounded.GroundedProposer.propose_instruction_for_predictor
    mipro.eval_candidate_program, utils.create_minibatch = evaluated, batch
    grounded.GroundedProposer.propose_instruction_for_predictor = one
    grounded.get_dspy_source_code = lambda module: "THE PROGRAM"
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            optimizer = Watched(same_answer, prompt_model=writer, num_threads=1, **settings)
            optimizer.compile(PROGRAMS[program](), trainset=train, valset=val or None, **(compile or {}))
    finally:
        mipro.eval_candidate_program, utils.create_minibatch = utils_evaluate, utils_batch
        grounded.GroundedProposer.propose_instruction_for_predictor = propose
    return {
        "name": name,
        "program": program,
        "rows": rows,
        "dev": dev,
        "settings": {**settings, **(compile or {})},
        "calls": [c for i, c in enumerate(writer.calls) if i not in passed],
        "passed": len(passed),
        "sets": optimizer.sets,
        "instructions": optimizer.proposed,
        "measured": measured,
    }


def texts():
    """How rows, demos and replies are written."""
    values = [
        {"question": "it's a \"quote\"", "answer": "yes\nno", "n": 1.5, "flag": True},
        {"question": "plain", "answer": "it's", "list": ["a", None, 2], "map": {"a": [1, {"b": False}]}, "none": None},
        {"question": "tab\t\\ é ☃ \u200b", "answer": "", "big": 12345678901234567, "small": 1e-07},
    ]
    rows = [dspy.Example(**v).with_inputs("question", *[k for k in v if k in ("n", "flag", "list")]) for v in values]
    signature = dspy.Signature("question, first_name: list[str], URLPath -> answer, score2: float, ok: bool")
    demos = [
        {"question": "a\nb", "first_name": ["x", "y's"], "URLPath": "u", "answer": "b", "score2": 0.5, "ok": True},
        {"question": "a", "answer": "b"},
    ]
    replies = [
        "plain", "Proposed Instruction: Do it.", "**Summary:** text", "* * a b c d e: text", "a b c d e f: text",
        '"quoted"', '"only left', "don't-stop it's: \n  text", "no colon here", "one: two: three", "été: text",
        "  lead: text  ", "a\u00a0b: text", "x: \"inner\"", ": text", "12 3: 4", "",
    ]
    return {
        "values": values,
        "inputs": [sorted(r.inputs().keys()) for r in rows],
        "rows": order_input_keys_in_string(repr(rows)),
        "demos": [{"values": d, "text": create_example_string(signature.fields, dspy.Example(**d))} for d in demos],
        "replies": [[r, strip_prefix(r)] for r in replies],
    }


def cases():
    few = {"max_bootstrapped_demos": 2, "max_labeled_demos": 3}
    none = {"max_bootstrapped_demos": 0, "max_labeled_demos": 0}
    return [
        case("light", "one", 25, 20),
        case("light in parts", "two", 40, 120),
        case("medium", "thought", 30, 60, auto="medium"),
        case("heavy", "one", 12, 55, auto="heavy", **few),
        case("off", "two", 30, 25, {"num_trials": 12, "minibatch_size": 10, "minibatch_full_eval_steps": 4}, auto=None, num_candidates=5, init_temperature=0.5, **few),
        case("off, all rows", "one", 30, 12, {"num_trials": 4, "minibatch": False}, auto=None, num_candidates=4),
        case("no demos", "two", 30, 60, **none),
        case("no labels", "one", 20, 20, max_labeled_demos=0),
        case("split", "one", 40, 0),
        case("many rows", "one", 115, 10, {"view_data_batch_size": 9}),
        case("without tips", "one", 20, 10, {"tip_aware_proposer": False}),
        case("without data", "one", 20, 10, {"data_aware_proposer": False}),
        case("without the program", "two", 20, 10, {"program_aware_proposer": False}),
        case("without demos", "one", 20, 10, {"fewshot_aware_proposer": False}),
    ]


if __name__ == "__main__":
    write("mipro_v2.json", {"cases": cases(), "texts": texts()})
