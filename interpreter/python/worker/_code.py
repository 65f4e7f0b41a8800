"""The interpreter that modules of DSPy which run code are given: code that a model wrote
is run by the host, in a process that is confined. The functions that it calls are
called here."""

import asyncio
import dataclasses
import enum
import inspect
import json
import keyword

import dspy
import pydantic
from dspy.primitives.code_interpreter import CodeExecutionError, CodeInterpreterError, FinalOutput
from pydantic_core import to_jsonable_python

from dspi import _calls

SYNTAX = "Invalid Python syntax. message: "  # how the host says that code is no Python


class Interpreter:
    """One session of the host's, as a dspy.CodeInterpreter. It begins with the first
    piece of code, when the functions and outputs are known, and ends with the step."""

    def __init__(self, sources=()):
        self.sources = sources  # of functions that are there already
        self.tools = {}  # functions that code calls here, by name
        self.output_fields = None  # what SUBMIT takes
        self.number = None
        self.kept = {}  # the texts of the variables that the session has

    def start(self):
        if self.number is not None:
            return
        args = {}
        if self.tools:
            args["functions"] = [{"name": name, **parameters(f)} for name, f in self.tools.items()]
        if self.output_fields:
            args["outputs"] = [f["name"] for f in self.output_fields]
        self.number = _calls.current().ask("open_code", args)["code"]

    def execute(self, code, variables=None):
        if code in self.sources:
            return None
        texts = {name: text(name, v) for name, v in (variables or {}).items()}
        self.start()
        args = {"code": self.number, "text": code}
        if texts != self.kept:
            args["variables"] = self.kept = texts
        said = _calls.current().ask("run_code", args)
        while "call" in said:
            call = said["call"]
            said = _calls.current().ask("resume_code", {"code": self.number, "id": call["id"], **self.answer(call)})
        if "fault" in said:
            raise (SyntaxError if said["fault"].startswith(SYNTAX) else CodeExecutionError)(said["fault"])
        return FinalOutput(said["value"]) if said.get("final") else said["value"]

    def answer(self, call):
        """What a function gives to the code, or why it failed. None is an empty text to it,
        as in DSPy."""
        try:
            if call["name"] not in self.tools:
                raise CodeInterpreterError(f"Unknown tool: {call['name']}")
            result = self.tools[call["name"]](*call["args"], **call["named"])
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
        except Exception as e:
            return {"fault": f"{type(e).__name__}: {e}"}
        try:
            return {"value": "" if result is None else plain(result)}
        except (TypeError, ValueError, RecursionError):
            return {"value": str(result)}

    def shutdown(self):
        pass  # the host does, when the step is over


def factory(made, tools):
    """The interpreter_factory of a class of DSPy's. What it says of itself in a prompt is
    what DSPy's own interpreter says."""
    early = issubclass(made, (dspy.ProgramOfThought, dspy.CodeAct))  # they say nothing more of it
    sources = {inspect.getsource(t.func) for t in tools} if early else set()

    def make():
        interpreter = Interpreter(sources)
        if early:
            interpreter.start()
        return interpreter

    make.execution_instructions = getattr(dspy.PythonInterpreter, "execution_instructions", "")
    return make


def parameters(function):
    """The parameters of a function, where each has a name."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return {}
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in found):
        return {}
    out = []
    for p in found:
        one = {"name": p.name}
        if p.default is not p.empty:
            try:
                one["default"] = plain(p.default)
            except (TypeError, ValueError):
                return {}  # only Python knows it
        out.append(one)
    return {"parameters": out}


def simple(v):
    """A value that code may have as one that JSON has, but for the keys of dicts."""
    if isinstance(v, enum.Enum):
        return simple(v.value)
    if v is None or isinstance(v, (str, int, float)):
        return v
    if isinstance(v, pydantic.BaseModel):
        return simple(v.model_dump(mode="json"))
    if isinstance(v, dict):
        return {(k.value if isinstance(k, enum.Enum) else k): simple(x) for k, x in v.items()}
    if isinstance(v, tuple) and hasattr(v, "_asdict"):
        return simple(v._asdict())
    if isinstance(v, (list, tuple)):
        return [simple(x) for x in v]
    if isinstance(v, (set, frozenset)):
        try:
            return [simple(x) for x in sorted(v)]
        except TypeError:
            return [simple(x) for x in v]
    if dataclasses.is_dataclass(v) and not isinstance(v, type):
        return simple(dataclasses.asdict(v))
    return simple(to_jsonable_python(v))


def plain(v):
    """What code is given by a function, as DSPy's interpreter, where it goes through
    JavaScript, gives it: 4.0 is 4."""
    return whole(json.loads(json.dumps(simple(v), allow_nan=False)))


def whole(v):
    if isinstance(v, float) and v.is_integer() and abs(v) < 2**53:
        return int(v)
    if isinstance(v, dict):
        return {k: whole(x) for k, x in v.items()}
    return [whole(x) for x in v] if isinstance(v, list) else v


def text(name, v):
    """A variable for code: JSON, or behind a = what only Python can write."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise CodeInterpreterError(f"Invalid variable name: '{name}'")
    try:
        v = simple(v)
    except ValueError:
        raise CodeInterpreterError(f"Unsupported value type: {type(v).__name__}") from None
    return json.dumps(v, ensure_ascii=False) if keyed(v) else "=" + repr(v)


def keyed(v):
    """Whether each key is a text."""
    if isinstance(v, dict):
        return all(isinstance(k, str) and keyed(x) for k, x in v.items())
    return all(keyed(x) for x in v) if isinstance(v, list) else True


def thought(sig, settings, demos):
    """dspy.ProgramOfThought, with demos for each of its predictors."""
    module = dspy.ProgramOfThought(sig, max_iters=settings.get("max_iters", 3), interpreter_factory=factory(dspy.ProgramOfThought, []))
    module.code_generate.predict.demos = [d for d in demos if "generated_code" in d and "previous_code" not in d]
    module.code_regenerate.predict.demos = [d for d in demos if "generated_code" in d and "previous_code" in d]
    module.generate_output.predict.demos = [d for d in demos if "generated_code" not in d]
    return module


def act(sig, settings, demos, tools):
    """dspy.CodeAct. It would run the source of its tools in the interpreter; here they
    are there already, and code that calls one calls the host."""
    module = dspy.CodeAct(sig, tools=tools, max_iters=settings.get("max_iters", 5), interpreter_factory=factory(dspy.CodeAct, tools))
    module.codeact.demos = [d for d in demos if "generated_code" in d]
    module.extractor.predict.demos = [d for d in demos if "generated_code" not in d]
    return module
