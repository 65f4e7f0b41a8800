"""What a .dsp file calls in Python that is no step: the functions behind tools,
metrics, data sets, embedders and retrievers."""

import asyncio
import inspect
import math
import numbers
import os
import typing

import dspy

from dspi import _lm, _programs, _values

LARGEST = 256  # rows in one message
found = {}  # what was made of a class, by target: once in a worker


def thing(target):
    """What MODULE:NAME names, an object where it is a class; the same each time."""
    x = _programs.resolve(target)
    if not inspect.isclass(x):
        return x
    if target not in found or type(found[target]) is not x:
        try:
            found[target] = x()
        except Exception as e:
            raise _programs.Fault("construct", f"{type(e).__name__}: {e}", traceback=_programs.trace(e)) from e
    return found[target]


def declared(x):
    """The function whose parameters are those of a callable, and how many of them are
    the object's own."""
    if isinstance(x, dspy.Module):
        of = type(x)
        return (getattr(of, "forward", None) or getattr(of, "aforward", None)), 1
    if not inspect.isroutine(x) and not inspect.isclass(x) and not hasattr(x, "func"):
        forward = getattr(type(x), "forward", None)
        return (forward, 1) if forward is not None else (getattr(x, "__call__", x), 0)
    return x, 0


def parameters(x):
    """The parameters of a callable, and their annotations; None where nobody knows."""
    function, own = declared(x)
    try:
        sig = inspect.signature(function)
    except (TypeError, ValueError):
        return None, {}
    sig = sig.replace(parameters=list(sig.parameters.values())[own:])
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        hints = {n: p.annotation for n, p in sig.parameters.items() if not isinstance(p.annotation, str) and p.annotation is not p.empty}
    return sig, hints


def function(target, inputs):
    """A callable that takes inputs by name, and the annotations of its parameters."""
    x = thing(target)
    if isinstance(x, dspy.Module) and not hasattr(type(x), "forward"):
        if not hasattr(type(x), "aforward"):
            raise _programs.Fault("not_callable", f"`{type(x).__name__}` has no `forward`")
        call = x.acall
    elif not callable(x):
        raise _programs.Fault("not_callable", f"it is a {type(x).__name__}, which cannot be called")
    else:
        call = x
    sig, hints = parameters(x)
    if sig is not None:
        try:
            sig.bind(**dict.fromkeys(inputs))
        except TypeError as e:
            raise _programs.Fault("parameters", f"it takes {sig}: {e}", names=list(sig.parameters)) from None
    return call, hints


def short(x):
    """A value for a message."""
    text = repr(x)
    return text if len(text) <= 80 else text[:79] + "…"


def settled(result):
    """The result of a call, awaited where it is a coroutine."""
    if inspect.isawaitable(result):
        return asyncio.run(_programs.wait(result))
    return result


def context(call):
    return dspy.context(lm=_lm.LM(call.model), dspi_call=call, trace=[], disable_history=True)


# Metrics


def metric(spec):
    """What computes the score of a row, as DSPy calls a metric: metric(example, pred)."""
    x = thing(spec["call"])
    if not callable(x):
        raise _programs.Fault("not_callable", f"it is a {type(x).__name__}, which cannot be called")
    sig, _ = parameters(x)
    more = {}
    if sig is not None:
        try:
            sig.bind(None, None)
        except TypeError as e:
            more = {p.name: None for p in list(sig.parameters.values())[2:] if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
            try:
                sig.bind(None, None, **more)
            except TypeError:
                raise _programs.Fault("parameters", f"it takes {sig}: {e}", names=list(sig.parameters)) from None
    inputs = spec.get("measures") or []

    def run(example, prediction):
        row = dspy.Example(**(example or {}))
        row = row.with_inputs(*[n for n in inputs if n in row])
        return scored(settled(x(row, dspy.Prediction(**(prediction or {})), **more)))

    return run


def scored(result):
    """A score, and words where there are some."""
    feedback, score = None, result
    if isinstance(result, dspy.Prediction) and "score" in result.keys():
        score, feedback = result["score"], result.get("feedback") if hasattr(result, "get") else getattr(result, "feedback", None)
    elif isinstance(result, dict) and "score" in result:
        score, feedback = result["score"], result.get("feedback")
    elif not isinstance(result, (bool, numbers.Number)) and hasattr(result, "score"):
        score, feedback = result.score, getattr(result, "feedback", None)
    if not isinstance(score, (bool, int, float)) and callable(getattr(score, "item", None)):
        score = score.item()  # of numpy
    if isinstance(score, bool):
        score = 1.0 if score else 0.0
    if not isinstance(score, (int, float)):
        raise _programs.Fault("outputs", f"it returned {short(result)}, and a score is a number, or true and false", names=[])
    if not math.isfinite(score):
        raise _programs.Fault("outputs", f"it returned the score {score}, which is no number", names=[])
    return {"score": float(score), "feedback": None if feedback is None else str(feedback)}


# Passages

TEXTS = ("long_text", "text", "page_content", "content")
IDS = ("id", "pid")


def passages(result):
    """What a retriever gave as passages: text, id, title, score and the rest of each."""
    ids = scores = None
    if not isinstance(result, (list, tuple)):
        ids, scores = getattr(result, "indices", None), getattr(result, "scores", None)
        result = getattr(result, "passages", result)
    if isinstance(result, dict) and "passages" in result:
        ids, scores, result = result.get("ids", result.get("indices")), result.get("scores"), result["passages"]
    if isinstance(result, str) or not hasattr(result, "__iter__"):
        raise _programs.Fault("outputs", f"it returned a {type(result).__name__}, and passages are a list, or a dspy.Prediction with `passages`", names=[])
    out = []
    for i, p in enumerate(result):
        one = passage(p, i)
        for name, of in (("id", ids), ("score", scores)):
            if name not in one and of is not None and i < len(of):
                one[name] = _values.given(of[i], name)
        if "id" in one:
            one["id"] = str(one["id"])
        out.append(one)
    return out


def passage(p, i):
    if isinstance(p, str):
        return {"text": p}
    if isinstance(p, dspy.Example):
        fields = dict(p.items())
    elif isinstance(p, dict):
        fields = dict(p)
    else:
        try:
            fields = _values.given(p)
        except _values.Unfit:
            fields = None
        if not isinstance(fields, dict):
            fields = {n: getattr(p, n) for n in (*TEXTS, *IDS, "title", "score", "metadata") if getattr(p, n, None) is not None}
    text = next((n for n in TEXTS if isinstance(fields.get(n), str)), None)
    if text is None:
        raise _programs.Fault("outputs", f"passage {i} is a {type(p).__name__} without a text: `long_text` or `text`", names=[str(n) for n in fields])
    out = {"text": fields.pop(text)}
    key = next((n for n in IDS if fields.get(n) is not None), None)
    if key is not None:
        out["id"] = _values.given(fields.pop(key), "id")
    for name in ("title", "score"):
        if fields.get(name) is not None:
            out[name] = _values.given(fields.pop(name), name)
    rest = {str(n): _values.given(v, f"passage {i}.{n}") for n, v in fields.items() if v is not None}
    if rest:
        out["meta"] = rest
    return out


# Rows


def row_of(x, number):
    """A row as JSON, or why it is none."""
    if isinstance(x, dspy.Example):
        x = dict(x.items())
    try:
        row = _values.given(x, f"row {number}")
    except _values.Unfit as e:
        return {"error": str(e)}
    if not isinstance(row, dict):
        return {"error": f"row {number} is of the type {type(x).__name__}, and a row is a dict or a dspy.Example"}
    return {"row": row}


# What Python reports


def kind_of(x):
    if inspect.isclass(x):
        return "module_class" if issubclass(x, dspy.Module) else "class"
    if isinstance(x, dspy.Module):
        return "module"
    if inspect.isroutine(x):
        return "function"
    return "callable" if callable(x) else "value"


def schema(annotation):
    """The JSON types that a value with an annotation may have; None where that is not known."""
    import pydantic

    if annotation in (inspect.Parameter.empty, typing.Any):
        return None
    try:
        s = pydantic.TypeAdapter(annotation).json_schema()
    except Exception:
        return None
    return types_in(s, s.get("$defs") or {}, 0)


def types_in(s, defs, depth):
    if depth > 8:
        return None
    if "$ref" in s:
        return types_in(defs.get(s["$ref"].rpartition("/")[2], {}), defs, depth + 1)
    if "anyOf" in s:
        out = []
        for x in s["anyOf"]:
            t = types_in(x, defs, depth + 1)
            if t is None:
                return None
            out += t
        return sorted(set(out))
    t = s.get("type")
    if t is None:
        return None
    return [t] if isinstance(t, str) else sorted(t)


def where(x):
    """The file and the line of what is called; nothing where nobody knows."""
    for y in (x, declared(x)[0] if callable(x) else None, type(x)):
        try:
            y = inspect.unwrap(y) if callable(y) else y
            file = inspect.getsourcefile(y)
            line = inspect.getsourcelines(y)[1]
        except (TypeError, OSError, ValueError):
            continue
        if file and os.path.isfile(file):
            return file, line
    return "", 0


def described(target, make):
    """What Python reports of a target, without calling it; a class is made where `make`
    says so, as a call would."""
    x = _programs.resolve(target)
    file, line = where(x)
    out = {"kind": kind_of(x), "name": getattr(x, "__name__", type(x).__name__), "file": file, "line": line}
    if not inspect.isclass(x) and hasattr(x, "__iter__"):
        out["rows"] = not isinstance(x, (str, bytes, dict))
    called = x
    if inspect.isclass(x) and make:
        try:
            called = thing(target)
        except _programs.Fault as e:
            out["error"] = {"kind": e.kind, "message": str(e), **e.more}
            return out
    if not callable(called):
        return out
    if inspect.isclass(called):
        try:
            sig, hints = inspect.signature(called.__init__), {}  # that of the class may be its metaclass's
            sig = sig.replace(parameters=list(sig.parameters.values())[1:])
        except (TypeError, ValueError):
            return out
    else:
        sig, hints = parameters(called)
    if sig is None:
        return out
    out["signature"] = str(sig)
    out["parameters"] = [
        {
            "name": p.name,
            "kind": {p.VAR_POSITIONAL: "positions", p.VAR_KEYWORD: "names", p.POSITIONAL_ONLY: "position", p.KEYWORD_ONLY: "name"}.get(p.kind, "both"),
            "required": p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD),
            "annotation": "" if p.annotation is p.empty else inspect.formatannotation(p.annotation),
            "types": schema(hints.get(p.name, p.empty)),
        }
        for p in sig.parameters.values()
    ]
    returns = hints.get("return", inspect.Signature.empty)
    gives = declared(called)[0] if not inspect.isclass(called) else called
    pieces = inspect.isgeneratorfunction(gives) or inspect.isasyncgenfunction(gives)
    if returns is not inspect.Signature.empty and returns is not type(None) and not pieces:
        out["returns"] = inspect.formatannotation(returns)
        out["return_types"] = schema(returns)
    return out


class Commands:
    """The commands of the host that call functions."""

    def call_tool(self, call, args):
        """Calls a Python function as the body of a tool."""
        run, hints = function(args["target"], list(args["args"]))
        with context(call):
            result = settled(run(**{n: _values.taken(hints.get(n), v, n) for n, v in args["args"].items()}))
        return {"value": _values.given(result)}

    def retrieve(self, call, args):
        """Asks a Python retriever: a function of a query and k, or one of DSPy's."""
        x = thing(args["target"])
        if not callable(x):
            raise _programs.Fault("not_callable", f"it is a {type(x).__name__}, which cannot be called")
        sig, _ = parameters(x)
        given = {}
        if sig is None or "k" in sig.parameters or any(p.kind == p.VAR_KEYWORD for p in sig.parameters.values()):
            given["k"] = args["k"]
        if sig is not None:
            try:
                sig.bind(args["query"], **given)
            except TypeError as e:
                raise _programs.Fault("parameters", f"it takes {sig}: {e}", names=list(sig.parameters)) from None
        with context(call):
            result = settled(x(args["query"], **given))
        return {"passages": passages(result)[: args["k"]]}

    def embed(self, call, args):
        """Asks a Python function for vectors of texts."""
        x = thing(args["target"])
        if not callable(x):
            raise _programs.Fault("not_callable", f"it is a {type(x).__name__}, which cannot be called")
        with context(call):
            result = settled(x(list(args["texts"])))
        return {"vectors": _values.given(result, "the vectors")}

    def read_rows(self, call, args):
        """Hands the rows of a data set to the host, in batches that grow."""
        x = thing(args["target"])
        count, batch, size = 0, [], 1
        with context(call):
            rows = settled(x()) if callable(x) and not hasattr(x, "__iter__") else x
            if isinstance(rows, (str, bytes, dict)) or not hasattr(rows, "__iter__"):
                raise _programs.Fault("outputs", f"it gives a {type(rows).__name__}, and rows are a list, or come from a generator", names=[])
            for row in rows:
                count += 1
                batch.append(row_of(row, count))
                if len(batch) >= size:
                    if not call.ask("rows", {"rows": batch})["more"]:
                        return {"rows": count}
                    batch, size = [], min(2 * size, LARGEST)
            if batch:
                call.ask("rows", {"rows": batch})
        return {"rows": count}

    def describe(self, call, args):
        """Says what a target is, and what it takes."""
        return described(args["target"], args.get("make", True))
