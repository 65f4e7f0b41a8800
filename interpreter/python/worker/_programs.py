"""Programs: what a step is in Python, made once and called often."""

import asyncio
import functools
import importlib
import inspect
import linecache
import os
import sys
import traceback
import types
import typing

import dspy

from dspi import _calls, _values


class Fault(Exception):
    """A typed error for the host."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.kind, self.more = kind, more


ADAPTERS = {"chat": dspy.ChatAdapter, "json": dspy.JSONAdapter, "xml": dspy.XMLAdapter}


class Program:
    """A spec of the host, made."""

    def __init__(self, number, spec):
        self.number, self.spec = number, spec
        self.modules = []  # names in sys.modules, of signatures
        self.tools = spec.get("tools") or []
        self.adapter = ADAPTERS.get(spec.get("adapter") or "chat")
        self.outputs = spec["outputs"]
        self.generator = False
        if spec["kind"] == "call":
            self.run, hints = function(spec)
            self.generator = inspect.isgeneratorfunction(self.run)
            self.hints = hints
        elif spec["kind"] == "metric":
            from dspi import _functions

            self.run, self.hints = _functions.metric(spec), {}
        else:
            self.run = self.make(spec)
            self.hints = {name: f.annotation for name, f in self.signature.input_fields.items()} if self.signature else {}

    def define(self, text, name):
        """A class from its text, in a module of its own."""
        where = f"dspi_signature_{self.number}_{len(self.modules)}"
        module = types.ModuleType(where)
        sys.modules[where] = module
        self.modules.append(where)
        linecache.cache[f"<{where}>"] = (len(text), None, text.splitlines(True), f"<{where}>")
        exec(compile(text, f"<{where}>", "exec"), module.__dict__)
        return getattr(module, name)

    def make(self, spec):
        sig = self.define(spec["signature"]["source"], spec["signature"]["name"]) if spec.get("signature") else None
        self.signature = sig
        settings, demos = spec.get("settings") or {}, [dspy.Example(**d) for d in spec.get("demos") or []]
        kind = spec["kind"]
        if kind == "predict":
            module = dspy.Predict(sig)
            module.demos = demos
        elif kind == "chain_of_thought":
            module = dspy.ChainOfThought(sig)
            module.predict.demos = demos
        elif kind == "react":
            module = dspy.ReAct(sig, tools=tools(self.tools), max_iters=settings.get("max_iters", 20))
            module.react.demos = [d for d in demos if "next_tool_name" in d]
            module.extract.predict.demos = [d for d in demos if "next_tool_name" not in d]
        elif kind in ("program_of_thought", "code_act"):
            from dspi import _code

            module = _code.thought(sig, settings, demos) if kind == "program_of_thought" else _code.act(sig, settings, demos, tools(self.tools))
        elif kind == "class":
            module = self.dspy_class(sig, settings)
        elif kind == "host":
            module = HostPart()
        else:
            part = self.make(spec["part"])
            self.signature = sig
            if kind == "multi_chain_comparison":
                module = Comparison(part, sig, settings.get("m", 3))
                module.compare.predict.demos = demos
            else:
                n, threshold = settings.get("n", 5), settings.get("threshold")
                reward = self.reward(spec.get("reward") or "")
                make = dspy.Refine if kind == "refine" else dspy.BestOfN
                module = make(module=part, N=n, reward_fn=reward, threshold=float("inf") if threshold is None else threshold)
        inner = spec.get("inner") or {}
        for name, predictor in module.named_predictors() if inner else []:
            tune(predictor, inner.get(name))
        return module

    def reward(self, expression):
        """The reward: a function, since DSPy reads its text, that asks the host."""
        text = f'def reward(args, pred):\n    # {" ".join(expression.split())}\n    return judge(args, pred)\n'
        reward = self.define(text, "reward")

        def judge(args, pred):
            return _calls.current().ask("judge", {"setting": "reward", "outputs": _values.given(dict(pred.items()))})["value"]

        reward.__globals__["judge"] = judge
        return reward

    def dspy_class(self, sig, settings):
        path = settings["class"]
        found = resolve(path if ":" in path else path.rpartition(".")[0] + ":" + path.rpartition(".")[2])
        if not inspect.isclass(found):
            raise Fault("not_callable", f"`{path}` is a {type(found).__name__}, and a class is called for")
        given = dict(settings.get("arguments") or {})
        parameters = dict(list(inspect.signature(found.__init__).parameters.items())[1:])
        if "tools" in parameters and self.tools:
            given["tools"] = tools(self.tools)
        if "signature" in parameters:
            given["signature"] = sig
        if "interpreter_factory" in parameters and "interpreter_factory" not in given:
            from dspi import _code

            given["interpreter_factory"] = _code.factory(found, given["tools"] if self.tools and "tools" in parameters else [])
        unknown = [n for n in given if n not in parameters and not any(p.kind == p.VAR_KEYWORD for p in parameters.values())]
        if unknown:
            raise Fault("parameters", f"`{path}` takes no `{unknown[0]}`", names=list(parameters))
        try:
            return found(**given)
        except Exception as e:
            raise Fault("construct", f"{type(e).__name__}: {e}", traceback=trace(e)) from e

    def execute(self, call, inputs):
        """Calls the program; the outputs by name, as JSON."""
        values = {name: _values.taken(self.hints.get(name, typing.Any), v, name) for name, v in inputs.items()}
        if self.generator:
            last = None
            for piece in self.run(**values):
                if last is not None:
                    call.partial(last)
                last = self.named(piece)
            return last if last is not None else self.named(None)
        result = self.run(**values)
        if inspect.isawaitable(result):
            result = asyncio.run(wait(result))
        return self.named(result)

    def named(self, result):
        """A result as outputs: an object or dict that has them, or the only one itself."""
        names = self.outputs
        get = None
        if isinstance(result, dspy.Example):
            get = result.toDict() if not isinstance(result, dspy.Prediction) else dict(result.items())
        elif isinstance(result, dict):
            get = result
        elif result is not None and not isinstance(result, (str, bytes, int, float, list, tuple, set)):
            if all(hasattr(result, n) for n in names):
                get = {n: getattr(result, n) for n in names}
        if get is not None and (len(names) > 1 or names[0] in get or isinstance(result, dspy.Example)):
            missing = [n for n in names if n not in get]
            if missing:
                raise Fault("outputs", f"it returned no `{missing[0]}`", names=[str(n) for n in get])
            return {n: _values.given(get[n], n) for n in names}
        if len(names) == 1:
            return {names[0]: _values.given(result, names[0])}
        raise Fault("outputs", f"it returned a {type(result).__name__}, which does not say what `{names[0]}` is", names=[])

    def forget(self):
        for name in self.modules:
            sys.modules.pop(name, None)
            linecache.cache.pop(f"<{name}>", None)


async def wait(x):
    return await x


class Comparison(dspy.Module):
    """m attempts of a part, and DSPy's comparison of them."""

    def __init__(self, part, signature, m):
        super().__init__()
        self.part, self.m = part, m
        self.compare = dspy.MultiChainComparison(signature, M=m)

    def forward(self, **inputs):
        lm, attempts = dspy.settings.lm, []
        for i in range(self.m):
            with dspy.context(lm=lm.copy(rollout_id=lm.kwargs.get("rollout_id", 0) * 1000 + i, temperature=0.7)):
                attempts.append(self.part(**inputs))
        return self.compare(attempts, **inputs)


def tune(predictor, found):
    """Gives a predictor inside a module what tuning found for it."""
    if not found:
        return
    if found.get("instructions"):
        predictor.signature = predictor.signature.with_instructions(found["instructions"])
    for field, text in (found.get("descriptions") or {}).items():
        predictor.signature = predictor.signature.with_updated_fields(field, desc=text)
    predictor.demos = [dspy.Example(**d) for d in found["demos"]]


class HostPart(dspy.Module):
    """A part that dspi runs itself. It has no predictors whose model DSPy could ask for
    or set, so it has one itself."""

    lm = None

    def get_lm(self):
        return self.lm

    def set_lm(self, lm):
        self.lm = lm

    def forward(self, **inputs):
        lm = self.lm or dspy.settings.lm
        kwargs = lm.kwargs if lm is not None else {}
        args = {"inputs": _values.given(inputs), "rollout": kwargs.get("rollout_id", 0), "temperature": kwargs.get("temperature")}
        return dspy.Prediction(**_calls.current().ask("part", args))


def resolve(target):
    """What MODULE:ATTRIBUTE names."""
    name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name and (name == e.name or name.startswith(e.name + ".")):
            near = sorted({f[:-3] for p in sys.path[:2] if os.path.isdir(p) for f in os.listdir(p) if f.endswith(".py")})
            raise Fault("no_module", str(e), names=near, folder=sys.path[0]) from e
        raise Fault("import", f"{type(e).__name__}: {e}", traceback=trace(e), missing=e.name or "") from e
    except BaseException as e:
        if isinstance(e, _calls.Ended):
            raise
        raise Fault("import", f"{type(e).__name__}: {e}", traceback=trace(e)) from e
    found = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            own = module.__name__.partition(".")[0]  # a package gives what its modules define
            names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_") and (getattr(v, "__module__", "") or "").partition(".")[0] == own]
            raise Fault("no_attribute", f"the module `{name}` has no `{attribute}`", names=names) from None
    return found


def function(spec):
    """What a `python` step calls, and the annotations of its parameters."""
    found = resolve(spec["call"])
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as e:
            raise Fault("construct", f"{type(e).__name__}: {e}", traceback=trace(e)) from e
    of = type(found)
    if isinstance(found, dspy.Module) and not hasattr(of, "forward") and not hasattr(of, "aforward"):
        raise Fault("not_callable", f"`{type(found).__name__}` has no `forward`")
    if not callable(found):
        raise Fault("not_callable", f"it is a {type(found).__name__}, which cannot be called")
    declared, first = found, 0
    if isinstance(found, dspy.Module):  # asked of the class: DSPy warns of who takes an object's forward
        declared, first = getattr(of, "forward", None) or of.aforward, 1
        if not hasattr(of, "forward"):
            found = found.acall
    elif not inspect.isroutine(found) and not isinstance(found, functools.partial):
        declared = found.__call__
    try:
        parameters = inspect.signature(declared)
        parameters = parameters.replace(parameters=list(parameters.parameters.values())[first:])
    except (TypeError, ValueError):
        return found, {}
    try:
        parameters.bind(**dict.fromkeys(spec["inputs"]))
    except TypeError as e:
        raise Fault("parameters", f"it takes {parameters}: {e}", names=list(parameters.parameters)) from None
    try:
        hints = typing.get_type_hints(declared)
    except Exception:
        hints = {n: p.annotation for n, p in parameters.parameters.items() if not isinstance(p.annotation, str) and p.annotation is not p.empty}
    return found, hints


made = {}


def tools(specs):
    """Tools of the step as DSPy's, with their parameters."""
    return [tool(t) for t in specs]


def tool(spec):
    key = (spec["name"], spec["description"], spec["signature"]["source"])
    if key in made:
        return made[key]
    name = spec["name"]
    namespace = {}
    exec(compile(spec["signature"]["source"], f"<dspi tool {name}>", "exec"), namespace)
    fields = namespace[spec["signature"]["name"]].input_fields

    def call(**args):
        return _calls.current().ask("tool", {"name": name, "args": _values.given(args, name)})["value"]

    call.__name__ = call.__qualname__ = name
    call.__doc__ = spec["description"] or None
    parameters = []
    for n, f in fields.items():
        default = inspect.Parameter.empty if f.is_required() else f.default
        parameters.append(inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=f.annotation))
    call.__signature__ = inspect.Signature(parameters)
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    written = {n: d for n, d in (spec.get("descriptions") or {}).items()}
    if len(made) > 500:
        made.clear()
    made[key] = dspy.Tool(call, name=name, desc=spec["description"] or "", arg_desc=written)
    return made[key]


def trace(e):
    """A traceback without the frames of the worker itself, the last ones."""
    frames = [f for f in traceback.extract_tb(e.__traceback__) if not f.filename.startswith(("<dspi", "<frozen importlib"))]
    lines = traceback.format_list(frames[-8:])
    if len(frames) > 8:
        lines.insert(0, f"  … {len(frames) - 8} more\n")
    return "".join(lines) + "".join(traceback.format_exception_only(type(e), e))
