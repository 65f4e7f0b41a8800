"""optimize_program: an optimizer of DSPy's works on a program that the host runs."""

import inspect
import json
import linecache
import logging
import re
import sys
import types
import typing

import dspy
import dspy.evaluate.evaluate
from dspy.utils.callback import BaseCallback
from dspy.utils.parallelizer import ParallelExecutor

from dspi import _calls, _lm, _programs, _values

OURS = ("metric", "student", "trainset", "valset", "teacher")  # given by the host
MODELS = ("prompt_model", "task_model", "teacher_model", "reflection_lm", "lm")


class Program(dspy.Module):
    """A program of the host: it has predictors, and the host does the work."""

    def __init__(self, predictors):
        super().__init__()
        for name, predictor in predictors:
            place(self, name, predictor)

    def forward(self, **inputs):
        return _calls.current().optimization.run(self, inputs)


class ChainOfThought(dspy.Module):
    """Holds the predictor of a step. DSPy's proposers do not read a class of this name
    as code of the program."""


def place(program, name, predictor):
    """Puts a predictor where DSPy finds it by a name: `a.predict`, `a[0]`, `a['b']`."""
    keys = re.findall(r"\w+|\[\d+\]|\['[^']*'\]", name)
    holder = program
    for i, key in enumerate(keys):
        if i + 1 == len(keys):
            held = predictor
        elif keys[i + 1].startswith("['"):
            held = {}
        elif keys[i + 1].startswith("["):
            held = []
        else:
            held = ChainOfThought()
        if isinstance(holder, dict):
            holder = holder.setdefault(key[2:-2], held)
        elif isinstance(holder, list):
            n = int(key[1:-1])
            if n == len(holder):
                holder.append(held)
            holder = holder[n]
        elif key in holder.__dict__ and isinstance(holder.__dict__[key], (dict, list, ChainOfThought)):
            holder = holder.__dict__[key]
        elif hasattr(holder, key):
            raise _programs.Fault("construct", f"a step cannot be called `{key}` here: dspy.Module has something of this name")
        else:
            setattr(holder, key, held)
            holder = held


class Optimization:
    """One call of optimize_program."""

    def __init__(self, call, args):
        self.call, self.args = call, args
        self.modules = []
        spec = args["program"]
        self.number = f"{call.number}_{id(self):x}"
        sig = self.define(spec["signature"]["source"], spec["signature"]["name"])
        self.inputs = {n: f.annotation for n, f in sig.input_fields.items()}
        self.hints = {n: f.annotation for n, f in sig.fields.items()}
        self.names, self.fields, made = [], {}, []
        for p in spec["predictors"]:
            s = self.define(p["signature"]["source"], p["signature"]["name"])
            predictor = dspy.Predict(s.with_instructions(s.instructions))  # as DSPy makes them of texts, which its proposers ask for
            self.fields[p["name"]] = {n: f.annotation for n, f in s.fields.items()}
            predictor.demos = [self.example(d, self.fields[p["name"]]) for d in p.get("demos") or []]
            self.names.append(p["name"])
            made.append((p["name"], predictor))
        self.student = self.program(spec)(made)
        found = [n for n, _ in self.student.named_predictors()]
        if sorted(found) != sorted(self.names):
            raise _programs.Fault("construct", f"DSPy calls the predictors {', '.join(found)}, and the host {', '.join(self.names)}")
        rows = [*(args.get("train") or []), *(args.get("val") or [])]
        self.examples = [self.example(r, self.hints).with_inputs(*[n for n in self.inputs if n in r]) for r in rows]
        n = len(args.get("train") or [])
        self.train, self.val = self.examples[:n], self.examples[n:]
        self.by_id = {id(e): i for i, e in enumerate(self.examples)}
        self.by_text, self.by_inputs = {}, {}
        for i, e in enumerate(self.examples):
            self.by_text.setdefault(text(dict(e.items())), i)
            self.by_inputs.setdefault(text(dict(e.inputs().items())), i)

    def define(self, source, name):
        """A class from its text, in a module of its own."""
        where = f"dspi_optimize_{self.number}_{len(self.modules)}"
        module = types.ModuleType(where)
        module.__file__ = f"<{where}>"
        sys.modules[where] = module
        self.modules.append(where)
        linecache.cache[f"<{where}>"] = (len(source), None, source.splitlines(True), f"<{where}>")
        exec(compile(source, f"<{where}>", "exec"), module.__dict__)
        return getattr(module, name)

    def program(self, spec):
        """The class of the program, whose text is what a proposer reads of it."""
        name = spec["name"] if spec["name"].isidentifier() else "Program"
        body = "    pass\n"
        if spec.get("source"):
            quoted = spec["source"].rstrip("\n").replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
            body = '    """\n' + "".join(f"    {line}".rstrip() + "\n" for line in quoted.split("\n")) + '    """\n'
        made = self.define(f"from dspi._optimize import Program as Module\n\n\nclass {name}(Module):\n{body}", name)
        made.__doc__ = None
        return made

    def example(self, row, hints):
        return dspy.Example({n: _values.taken(hints[n], v, n) if n in hints else _values.media(v) for n, v in row.items()})

    def forget(self):
        for name in self.modules:
            sys.modules.pop(name, None)
            linecache.cache.pop(f"<{name}>", None)

    # What the optimizer calls

    def run(self, program, inputs):
        """The program, with the instructions and demos that it has now."""
        lm = next((p.lm for p in program.predictors() if p.lm is not None), None) or dspy.settings.lm
        kwargs = lm.kwargs if lm is not None else {}
        args = {"row": self.by_inputs.get(text(inputs), -1), "inputs": _values.given(inputs), "predictors": self.tuned(program), "rollout": kwargs.get("rollout_id") or 0}
        if kwargs.get("temperature") is not None:
            args["temperature"] = kwargs["temperature"]
        if lm is not None and lm.model != self.call.model:
            args["model"] = lm.model
        said = self.call.ask("run", args)
        prediction = self.prediction(said["outputs"], self.hints)
        prediction._dspi_run = said["run"]
        trace = dspy.settings.trace
        if trace is not None:
            predictors = dict(program.named_predictors())
            for step in said["trace"]:
                hints = self.fields[step["predictor"]]
                given = {n: _values.taken(hints.get(n, typing.Any), v, n) for n, v in step["inputs"].items()}
                trace.append((predictors[step["predictor"]], given, self.prediction(step["outputs"], hints)))
        return prediction

    def prediction(self, outputs, hints):
        made = dspy.Prediction()
        for n, v in outputs.items():
            made[n] = _values.taken(hints.get(n, typing.Any), v, n)
        return made

    def metric(self):
        def metric(example, pred, trace=None, pred_name=None, pred_trace=None):
            row = self.by_id.get(id(example))
            if row is None:
                row = self.by_text.get(text(dict(example.items())), -1)
            args = {"row": row, "run": getattr(pred, "_dspi_run", 0), "outputs": _values.given(dict(pred.items())), "bootstrap": trace is not None and pred_name is None}
            if row < 0:
                args["example"] = _values.given(dict(example.items()))
            if pred_name is not None:
                args["predictor"] = pred_name
            said = self.call.ask("score", args)
            if pred_name is not None:
                return dspy.Prediction(score=said["score"], feedback=said.get("feedback") or f"This trajectory got a score of {said['score']}.")
            return said["score"]

        return metric

    def tuned(self, program):
        """The instructions and demos of the predictors, in the host's order."""
        predictors = dict(program.named_predictors())
        missing = [n for n in self.names if n not in predictors]
        if missing:
            raise _programs.Fault("outputs", f"the program that it gives has no predictor `{missing[0]}`")
        return [
            {"name": n, "instructions": predictors[n].signature.instructions, "demos": [_values.given(dict(d.items()), "a demo") for d in predictors[n].demos]}
            for n in self.names
        ]

    # The optimizer

    def work(self):
        target, arguments = self.args["target"], self.args.get("arguments") or {}
        try:
            found = _programs.resolve(target)
        except _programs.Fault as e:
            if e.kind == "no_attribute":
                e.more["names"] = [n for n, x in vars(dspy.teleprompt).items() if inspect.isclass(x) and hasattr(x, "compile")]
            raise
        if not inspect.isclass(found) or not callable(getattr(found, "compile", None)):
            raise _programs.Fault("not_callable", f"`{target.replace(':', '.')}` is no class with a method `compile`")
        takes = list(inspect.signature(found.__init__).parameters.items())[1:]
        init, compiles = dict(takes), dict(list(inspect.signature(found.compile).parameters.items())[1:])
        any_name = any(p.kind == p.VAR_KEYWORD for p in init.values())
        made, called = {}, {}
        for name, v in arguments.items():
            v = self.models(name, v)
            if name in OURS or name not in init and name not in compiles and not any_name:
                free = [n for n in dict.fromkeys([*init, *compiles]) if n not in OURS and n not in ("kwargs", "_")]
                raise _programs.Fault("parameters", f"`{target.replace(':', '.')}` takes no `{name}`" + (" here: dspi gives it" if name in OURS else ""), names=free)
            (called if name not in init and name in compiles else made)[name] = v
        for params, given in ((init, made), (compiles, called)):
            if "metric" in params:
                given["metric"] = self.metric()
            if "reflection_lm" in params and "reflection_lm" not in arguments:
                given["reflection_lm"] = dspy.settings.lm
            if "eval_kwargs" in params and "eval_kwargs" not in arguments:
                given["eval_kwargs"] = {"num_threads": dspy.settings.num_threads, "display_progress": False}
        if any_name and "metric" not in init and "metric" not in compiles:
            made["metric"] = self.metric()
        if "trainset" in compiles:
            called["trainset"] = self.train
        if self.val and "valset" in compiles:
            called["valset"] = self.val
        try:
            optimizer = found(**made)
        except ImportError as e:
            raise self.missing(e) from e
        except Exception as e:
            raise _programs.Fault("construct", f"{type(e).__name__}: {e}", traceback=_programs.trace(e)) from e
        try:
            best = optimizer.compile(self.student, **called)
        except ImportError as e:
            raise self.missing(e) from e
        if not isinstance(best, dspy.Module):
            raise _programs.Fault("outputs", f"it gives a {type(best).__name__} and no program")
        score = getattr(best, "score", None)
        return {"predictors": self.tuned(best), "score": float(score) if isinstance(score, (int, float)) else None}

    def models(self, name, v):
        """Models by their names."""
        if name in MODELS and isinstance(v, str):
            return _lm.LM(v)
        if name == "teacher_settings" and isinstance(v, dict):
            return {n: self.models(n, x) for n, x in v.items()}
        return v

    def missing(self, e):
        x, name = e, None
        while x is not None and not name:
            name, x = getattr(x, "name", None), x.__cause__
        return _programs.Fault("import", f"{type(e).__name__}: {e}", traceback=_programs.trace(e), missing=name or "")


def text(fields):
    return json.dumps(_values.given(fields), sort_keys=True, ensure_ascii=False)


class Executor(ParallelExecutor):
    """DSPy's, which draws a bar and begins what takes long a second time: not here,
    where every call is paid."""

    def __init__(self, *args, **kwargs):
        if optimization() is not None:
            kwargs["timeout"], kwargs["disable_progress_bar"] = 0, True
        super().__init__(*args, **kwargs)


dspy.evaluate.evaluate.ParallelExecutor = Executor


def optimization():
    """That of the call which runs in this thread; None where there is none."""
    return getattr(dspy.settings.get("dspi_call"), "optimization", None)


class Log(logging.Handler):
    """Tells the host what optimizers log."""

    def emit(self, record):
        o = optimization()
        if o is None or record.levelno < logging.WARNING and not record.name.startswith("dspy.teleprompt"):
            return
        said = re.sub(r"\x1b\[[0-9;]*m", "", record.getMessage()).strip()
        if said:
            o.call.partial({"message": said[:4000]})


for handler in logging.getLogger("dspy").handlers:
    handler.addFilter(lambda record: optimization() is None)  # not said twice
logging.getLogger("dspy").addHandler(Log(logging.INFO))


class Watch(BaseCallback):
    """Tells the host of each evaluation."""

    def __init__(self):
        self.begun = {}

    def on_evaluate_start(self, call_id, instance, inputs):
        rows = inputs.get("devset")
        self.begun[call_id] = (inputs.get("program"), len(instance.devset if rows is None else rows))

    def on_evaluate_end(self, call_id, outputs, exception=None):
        program, rows = self.begun.pop(call_id, (None, 0))
        o = optimization()
        if o is None or exception is not None or program is None:
            return
        scores = [float(getattr(s, "score", s)) for *_, s in outputs.results]
        try:
            predictors = o.tuned(program)
        except _programs.Fault:
            return
        full = rows >= len(o.val or o.train)
        o.call.partial({"evaluated": {"score": sum(scores) / max(1, len(scores)), "rows": rows, "full": full}, "predictors": predictors})


class Commands:
    """The command of the host that optimizes."""

    def optimize_program(self, call, args):
        call.models = args.get("models") or []
        context = {"lm": _lm.LM(call.model), "dspi_call": call, "trace": None, "disable_history": True, "callbacks": [Watch()]}
        if args.get("threads"):
            context["num_threads"] = args["threads"]
        call.optimization = Optimization(call, args)
        try:
            with dspy.context(**context):
                return call.optimization.work()
        finally:
            call.optimization.forget()
