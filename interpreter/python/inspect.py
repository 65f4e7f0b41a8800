"""Describes a DSPy module as JSON, for `dspi import dspy MODULE:ATTRIBUTE`.

Run by dspi, never by hand: `python -c SCRIPT MODULE:ATTRIBUTE`. What the imported
module prints goes to standard error; standard output gets one JSON object, which
package interpreter/python reads (inspect.go says what is in it). Types and
expressions are written as dspi writes them; what dspi has no word for is listed in
`notes`, and nothing is left out without one.
"""

import ast
import enum
import importlib
import inspect
import json
import os
import re
import sys
import textwrap
import traceback
import types
import typing

RESULT = None  # standard output as dspi reads it


def answer(result):
    with os.fdopen(RESULT, "w", encoding="utf-8") as out:
        json.dump(result, out, ensure_ascii=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def fail(kind, message, **more):
    answer({"error": {"kind": kind, "message": message, **more}})


def place_of(error, own):
    """The last line of a traceback that stands in a file of the user's."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in ("<string>", own) and "importlib" not in f.filename]
    local = [f for f in frames if "site-packages" not in f.filename] or frames
    if isinstance(error, SyntaxError) and error.filename:
        return f"{os.path.relpath(error.filename)}:{error.lineno}"
    return f"{os.path.relpath(local[-1].filename)}:{local[-1].lineno}" if local else ""


def load(target):
    """Imports MODULE:ATTRIBUTE and returns the object and the attribute's name."""
    name, _, attribute = target.rpartition(":")
    if name.endswith(".py"):
        folder, file = os.path.split(name)
        sys.path.insert(0, os.path.abspath(folder or "."))
        name = file.removesuffix(".py")
    else:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name == name or name.startswith((e.name or " ") + "."):
            here = sorted(f.removesuffix(".py") for f in os.listdir(sys.path[0]) if f.endswith(".py"))
            fail("no module", str(e), name=name, names=here)
        fail("import", f"{type(e).__name__}: {e}", where=place_of(e, __file__ if "__file__" in globals() else ""))
    except BaseException as e:
        fail("import", f"{type(e).__name__}: {e}", where=place_of(e, ""))
    value = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            names = [n for n, v in vars(module).items() if is_module(v) or is_program_class(v, module)]
            fail("no attribute", f"{name} has no attribute {attribute}", name=attribute, names=names)
        value = getattr(value, part)
    if inspect.isclass(value) and issubclass(value, dspy.Module):
        try:
            value = value()
        except BaseException as e:
            fail("construct", f"{type(e).__name__}: {e}", where=place_of(e, ""))
    elif inspect.isclass(value) and issubclass(value, dspy.Signature):
        value = dspy.Predict(value)
    if is_module(value) and not callable(getattr(value, "forward", None)):
        fail("no forward", f"{type(value).__name__} has no forward, so it cannot be called")
    if not is_module(value):
        names = [n for n, v in vars(module).items() if is_module(v) or is_program_class(v, module)]
        fail("not a module", type(value).__name__, name=attribute, names=names)
    return value, attribute


def is_module(v):
    return isinstance(v, dspy.Module)


def is_program_class(v, module):
    return inspect.isclass(v) and issubclass(v, dspy.Module) and v.__module__ == module.__name__


class Unreadable(Exception):
    """A forward that dspi cannot read: the line and why."""


# Types


class Types:
    """Turns annotations into dspi's types. Records and enums are declared once."""

    PLAIN = {str: "string", int: "int", float: "float", bool: "bool", typing.Any: "json", type(None): "null"}
    TAKEN = {
        "string", "int", "float", "bool", "date", "datetime", "duration", "json", "list", "map", "tuple", "model", "module", "message",
        "history", "image", "audio", "file", "code", "citation", "embedding", "probability", "confidence", "similarity",
    }  # fmt: skip

    def __init__(self, notes):
        self.notes = notes
        self.declared = []
        self.names = {}
        self.native = {}
        import datetime

        self.PLAIN = {**self.PLAIN, datetime.date: "date", datetime.datetime: "datetime", datetime.timedelta: "duration"}
        for attribute, name in (("Image", "image"), ("Audio", "audio"), ("File", "file"), ("History", "history"), ("Code", "code")):
            if hasattr(dspy, attribute):
                self.native[getattr(dspy, attribute)] = name

    def text(self, t, at, limits=""):
        """The type as dspi writes it; `at` says where it stands, for notes."""
        origin, args = typing.get_origin(t), typing.get_args(t)
        if (origin or t) in (list, dict, tuple, set, frozenset, typing.List, typing.Dict):
            limits = limits.replace("_length", "_items")
        if t in self.native:
            return self.native[t]
        if isinstance(t, typing.Hashable) and t in self.PLAIN:
            return self.PLAIN[t] + limits
        if origin is typing.Annotated:
            return self.text(args[0], at, constraints(args[1:], self.notes, at, args[0]))
        if t in (list, typing.List) or origin is list:
            return f"list[{self.text(args[0] if args else typing.Any, at)}]{limits}"
        if t in (dict, typing.Dict) or origin is dict:
            if args and args[0] is not str:
                self.notes.append(f"{at}: the keys of {name_of(t)} are not text; in dspi keys are")
            return f"map[string, {self.text(args[1] if args else typing.Any, at)}]{limits}"
        if t in (tuple, set, frozenset) or origin in (tuple, set, frozenset):
            if origin is tuple and Ellipsis not in args:
                return f"tuple[{', '.join(self.text(a, at) for a in args)}]"
            self.notes.append(f"{at}: {name_of(t)} has become a list")
            return f"list[{self.text(args[0] if args else typing.Any, at)}]{limits}"
        if origin is typing.Literal:
            return " | ".join(literal(a) for a in args)
        if origin in (typing.Union, getattr(types, "UnionType", None)):
            if origin is not typing.Union:
                self.notes.append(f"{at}: DSPy calls {t} a UnionType in prompts, dspi a Union, as for Optional[...]")
            parts = [self.text(a, at, limits if a is not type(None) else "") for a in args]
            if len(parts) == 2 and parts[1] == "null" and " | " not in parts[0] and not parts[0].startswith(('"', "-")) and not parts[0][0].isdigit():
                return parts[0] + "?"
            return " | ".join(parts)
        if inspect.isclass(t) and issubclass(t, enum.Enum):
            return self.declare(t, self.enum)
        if inspect.isclass(t) and issubclass(t, pydantic.BaseModel) and not t.__module__.startswith("dspy."):
            return self.declare(t, self.record)
        self.notes.append(f"{at}: dspi has no type for {name_of(t)}; it has become json, and the prompt says Any")
        return "json"

    def declare(self, t, describe):
        if t not in self.names:
            name = t.__name__
            if name in self.TAKEN or name in self.names.values():
                n = 2
                while f"{name}{n}" in self.names.values():
                    n += 1
                self.notes.append(f"the class {name} is called {name}{n}, because the name is taken; the prompt shows it")
                name = f"{name}{n}"
            self.names[t] = name
            place = len(self.declared)
            self.declared.append(None)
            self.declared[place] = describe(t, name)
        return self.names[t]

    def enum(self, t, name):
        members = []
        for m in t:
            if not isinstance(m.value, str):
                self.notes.append(f"{name}.{m.name}: the value {m.value!r} has become the text {str(m.value)!r}")
            members.append({"name": m.name, "shown": str(m.value)})
        return {"kind": "enum", "name": name, "members": members}

    def record(self, t, name):
        if t.__doc__ and t.__doc__ != pydantic.BaseModel.__doc__ and "docstring" not in t.model_config:
            self.notes.append(f"{name}: its docstring is in DSPy's JSON schema, and has no place in a dspi type")
        fields = []
        for field, info in t.model_fields.items():
            at = f"{name}.{field}"
            limits = constraints(info.metadata, self.notes, at, info.annotation)
            f = {"name": field, "type": self.text(info.annotation, at, limits), "description": info.description or ""}
            self.default(f, info, at)
            fields.append(f)
        return {"kind": "record", "name": name, "fields": fields}

    def default(self, f, info, at):
        if info.default is not pydantic_core.PydanticUndefined:
            try:
                f["default"] = constant(info.default)
            except Unreadable:
                self.notes.append(f"{at}: the default {info.default!r} is left out")
        elif info.default_factory is not None:
            self.notes.append(f"{at}: the default that a function makes is left out")


LIMITS = {"ge": "min", "le": "max", "multiple_of": "multiple_of", "min_length": "min_length", "max_length": "max_length", "pattern": "pattern"}


def constraints(metadata, notes, at, annotation=None):
    """Pydantic's constraints as dspi writes them: (min = 1, max = 5)."""
    found = []
    for m in metadata:
        entries = {k: v for k, v in vars(m).items() if v is not None} if hasattr(m, "__dict__") else {}
        for slot in getattr(m, "__slots__", None) or getattr(m, "__dataclass_fields__", None) or ():
            if getattr(m, slot, None) is not None:
                entries[slot] = getattr(m, slot)
        for key, limit in entries.items():
            if key in LIMITS and isinstance(limit, (int, float, str)):
                found.append(f"{LIMITS[key]} = {literal(limit)}")
            elif key in ("gt", "lt") and isinstance(limit, int) and whole(annotation):
                word, n = ("min", limit + 1) if key == "gt" else ("max", limit - 1)
                notes.append(f"{at}: {key}={limit} has become {word} = {n}, which is the same for whole numbers; the prompt says it otherwise")
                found.append(f"{word} = {n}")
            else:
                notes.append(f"{at}: dspi has no constraint {key}={limit!r}; it is left out")
    return f"({', '.join(found)})" if found else ""


def whole(annotation):
    """Whether a type is int, or int or None."""
    return {a for a in typing.get_args(annotation) or (annotation,) if a is not type(None)} == {int}


def name_of(t):
    return getattr(t, "__name__", None) if inspect.isclass(t) and not typing.get_args(t) else str(t)


def literal(v):
    """A text, number, true, false or null as dspi writes it."""
    if isinstance(v, enum.Enum):
        v = v.name
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return repr(v) if "e" not in repr(v) else f"{v:f}"
    if isinstance(v, int):
        return str(v)
    if isinstance(v, str):
        return quote(v)
    raise Unreadable(f"{v!r} is no text, number or truth value")


def constant(v):
    """A literal, or a list or object of them."""
    if isinstance(v, pydantic.BaseModel):
        v = v.model_dump(mode="json")
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(constant(x) for x in v) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join(f"{quote(str(k))}: {constant(x)}" for k, x in v.items()) + "}"
    return literal(v)


def quote(s):
    out = json.dumps(s, ensure_ascii=False).replace("\x7f", "\\u007f")
    return out.replace("${", "$${")


# Programs


class Reader:
    def __init__(self):
        self.notes = []
        self.types = Types(self.notes)
        self.programs = []
        self.state = {}
        self.where = ""  # MODULE:ATTRIBUTE

    # A leaf: a Predict or a ChainOfThought.

    def fields(self, signature, at, skip=()):
        inputs, outputs = [], []
        for name, info in signature.fields.items():
            if name in skip:
                continue
            extra = info.json_schema_extra
            f = {"name": name, "type": self.types.text(info.annotation, f"{at}.{name}", constraints(info.metadata, self.notes, f"{at}.{name}", info.annotation))}
            desc = extra.get("desc") or ""
            f["description"] = "" if desc == f"${{{name}}}" else desc
            self.types.default(f, info, f"{at}.{name}")
            (inputs if extra["__dspy_field_type"] == "input" else outputs).append(f)
        return inputs, outputs

    def leaf(self, module, at):
        """Describes a Predict or ChainOfThought; None for anything else."""
        kind, predict, skip = None, None, ()
        if type(module) is dspy.Predict:
            kind, predict = "predict", module
        elif type(module) is dspy.ChainOfThought:
            kind, predict = "chain_of_thought", module.predict
            reasoning = predict.signature.fields.get("reasoning")
            if reasoning is not None and reasoning.annotation is str and list(predict.signature.output_fields)[0] == "reasoning":
                skip = ("reasoning",)
                if reasoning.json_schema_extra.get("desc") not in (None, "", "${reasoning}"):
                    self.notes.append(f"{at}: the description of `reasoning` stands in the state alone")
            else:
                kind = "predict"  # a rationale field of one's own is an ordinary output
        if kind is None:
            return None
        signature = predict.signature
        inputs, outputs = self.fields(signature, at, skip)
        step = {"module": kind, "inputs": inputs, "outputs": outputs, "settings": {}}
        default = f"Given the fields {ticks(inputs)}, produce the fields {ticks(outputs)}."
        if signature.instructions != default:
            step["instructions"] = signature.instructions
        elif kind == "predict" and type(module) is dspy.ChainOfThought:
            step["instructions"] = signature.instructions
        for key, v in predict.config.items():
            if key in ("temperature", "top_p", "max_tokens", "seed", "stop"):
                step["settings"][key] = constant(v)
            else:
                self.notes.append(f"{at}: the setting {key}={v!r} is left out")
        step["results"] = ([{"name": "reasoning", "type": "string", "description": ""}] if skip else []) + outputs
        return step

    # A module: a program, or a python step when its forward cannot be read.

    def program(self, module, name, path, line=None):
        """Adds the program of a module and returns its description."""
        leaf = self.leaf(module, path or name)
        if leaf is not None:
            program = {"name": self.free(name), "inputs": leaf["inputs"], "outputs": leaf["results"], "ops": [], "results": leaf["results"]}
            program["ops"].append({"kind": "step", "name": "predict", "args": [], **leaf})
            program["single"] = True
            program["bindings"] = [{"name": f["name"], "value": f"predict.{f['name']}"} for f in leaf["results"] if f["name"] == "reasoning" and leaf["module"] != "predict"]
            return self.add(program)
        before = len(self.programs), len(self.notes)
        try:
            program = self.forward(module, name, path)
        except Unreadable as e:
            reason = str(e)
            del self.programs[before[0] :], self.notes[before[1] :]  # its parts run in Python with it
            self.notes.append(f"{path or name}: the forward of {type(module).__name__} cannot be read ({reason}); it has become a python step")
            program = self.opaque(module, name, path, reason)
        return self.add(program)

    def add(self, program):
        for other in self.programs:
            if {**other, "name": ""} == {**program, "name": ""}:
                return other
        program["name"] = self.free(program["name"])
        self.programs.append(program)
        return program

    def free(self, name):
        name = snake(name)
        if name in RESERVED:
            name += "_program"
        names = [p["name"] for p in self.programs]
        n, found = 2, name
        while found in names:
            found, n = f"{name}_{n}", n + 1
        return found

    def opaque(self, module, name, path, reason):
        at = path or name
        inputs, outputs = [], []
        signature = whole_signature(module)
        if signature is not None:
            inputs, outputs = self.fields(signature, at)
        else:
            predictors = module.predictors()
            try:
                inputs = [self.parameter(p, f"{at}.{p.name}") for p in parameters(module)]
            except Unreadable:
                inputs = self.fields(predictors[0].signature, at)[0] if predictors else []
                if not inputs:
                    inputs = [{"name": "inputs", "type": "json", "description": ""}]
                self.notes.append(f"{at}: forward does not name its inputs; they are taken from its first predictor")
            for key in predicted(module):
                outputs.append({"name": key, "type": self.guess(module, key), "description": ""})
            if not outputs and predictors:
                outputs = self.fields(predictors[-1].signature, at)[1]
                self.notes.append(f"{at}: forward does not name its outputs; they are taken from its last predictor")
        if not outputs:
            outputs = [{"name": "result", "type": "json", "description": ""}]
        taken = {f["name"] for f in inputs}
        outputs = [f for f in outputs if f["name"] not in taken] or [{"name": "result", "type": "json", "description": ""}]
        call = self.where + (f".{path}" if path else "")
        step = {"kind": "step", "name": "run", "module": "python", "call": call, "inputs": inputs, "outputs": outputs, "results": outputs, "args": [], "settings": {}}
        step["comment"] = f"`forward` of {type(module).__name__} runs in Python, because dspi cannot read it: {reason}."
        return {"name": name, "inputs": inputs, "outputs": outputs, "ops": [step], "results": outputs, "single": False}

    def parameter(self, p, at):
        f = {"name": p.name, "type": "", "description": ""}
        if p.annotation is not inspect.Parameter.empty and not isinstance(p.annotation, str):
            f["type"] = self.types.text(p.annotation, at)
        else:
            f["type"] = "string"
        if p.default is not inspect.Parameter.empty:
            f["default"] = constant(p.default)
        return f

    def guess(self, module, key):
        """The type of an output, if a predictor has a field of that name."""
        for p in reversed(module.predictors()):
            if key in p.signature.output_fields:
                return self.types.text(p.signature.output_fields[key].annotation, key)
        return "json"

    def forward(self, module, name, path):
        f = type(module).forward if hasattr(type(module), "forward") else None
        if f is None:
            raise Unreadable("it has no forward")
        if type(module).__module__.startswith("dspy."):
            raise Unreadable(f"dspy.{type(module).__name__} is not among the modules that are read")
        try:
            lines, first = inspect.getsourcelines(f)
        except (OSError, TypeError):
            raise Unreadable("its source is not at hand")
        try:
            body = ast.parse(textwrap.dedent("".join(lines))).body[0]
        except SyntaxError:
            raise Unreadable("its source is not a definition of its own")
        if not isinstance(body, ast.FunctionDef) or body.decorator_list:
            raise Unreadable("it is not a plain `def`")
        return Forward(self, module, name, path, body, first - 1).read()


RESERVED = {
    "predict", "chain_of_thought", "react", "retrieve", "module", "python", "dspy", "retry", "refine", "majority", "best_of_n", "program", "model",
    "signature", "tool", "type", "enum", "variable", "test", "import", "metric", "evaluate", "optimize", "dataset", "retriever", "constraint", "repeat",
    "true", "false", "null", "let", "in", "not", "and", "or", "it", "it_index", "acc", "if", "else", "inputs", "outputs", "state", "next", "each", "round",
}  # fmt: skip


def ticks(fields):
    return ", ".join(f"`{f['name']}`" for f in fields)


def snake(name):
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"\W", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)).lower()


def step_name(part):
    """`steps[0]` is steps_0, `by['kind']` is by_kind."""
    return re.sub(r"\[(?:'([^']*)'|\"([^\"]*)\"|([^\]]*))\]", lambda m: "_" + (m[1] or m[2] or m[3] or ""), part)


def whole_signature(module):
    """The signature of a module of DSPy's own as a whole: a ReAct has one, a BestOfN that of the module in it."""
    if not type(module).__module__.startswith("dspy."):
        return None
    signature = getattr(module, "signature", None)
    if inspect.isclass(signature) and issubclass(signature, dspy.Signature):
        return signature
    inner = getattr(module, "module", None)
    if is_module(inner):
        return whole_signature(inner) or (inner.predictors()[-1].signature if inner.predictors() else None)
    return None


def parameters(module):
    """What forward takes. `**kwargs` alone raises Unreadable."""
    out = []
    try:
        hints = typing.get_type_hints(type(module).forward)
    except Exception:
        hints = {}
    for p in list(inspect.signature(type(module).forward).parameters.values())[1:]:
        if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
            raise Unreadable(f"forward takes {'**' if p.kind == p.VAR_KEYWORD else '*'}{p.name}")
        out.append(p.replace(annotation=hints.get(p.name, p.annotation)))
    return out


def predicted(module):
    """The names that forward gives its Prediction."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(type(module).forward)))
    except Exception:
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and is_prediction(node.value):
            return [k.arg for k in node.value.keywords if k.arg]
    return []


def is_prediction(node):
    if not isinstance(node, ast.Call):
        return False
    f = node.func
    return isinstance(f, ast.Attribute) and f.attr == "Prediction" or isinstance(f, ast.Name) and f.id == "Prediction"


class Forward:
    """Reads a forward that is a list of calls of its own modules."""

    def __init__(self, reader, module, name, path, node, offset):
        self.reader, self.module, self.name, self.path = reader, module, name, path
        self.node, self.offset = node, offset
        self.ops, self.steps = [], {}  # step name → its description
        self.values = {}  # Python's name → ("step", step name) or ("value", expression, type)
        self.inputs, self.untyped = [], set()

    def stop(self, node, why):
        raise Unreadable(f"line {self.offset + node.lineno}: {why}")

    def read(self):
        self.everything = None  # the name of **kwargs that is handed on as a whole
        args = self.node.args
        if args.kwarg and not args.args[1:] and not args.kwonlyargs and not args.vararg:
            self.everything = args.kwarg.arg
        else:
            for p in parameters(self.module):
                f = self.reader.parameter(p, f"{self.path or self.name}.{p.name}")
                if p.annotation is inspect.Parameter.empty or isinstance(p.annotation, str):
                    self.untyped.add(p.name)
                self.inputs.append(f)
                self.values[p.name] = ("input", p.name, f)
        outputs = None
        for statement in self.node.body:
            if outputs is not None:
                self.stop(statement, "code behind `return`")
            outputs = self.statement(statement)
        if outputs is None:
            self.stop(self.node, "it returns nothing")
        names = {f["name"] for f in self.inputs}
        for s in self.steps:
            if s in names or s in RESERVED:
                self.stop(self.node, f"the module `{s}` has the name of an input or a word of the language")
        for o in outputs:
            if o["name"] in names:
                self.stop(self.node, f"`{o['name']}` is both taken and given")
        results = [{"name": o["name"], "type": o["type"], "description": ""} for o in outputs]
        return {
            "name": self.name, "inputs": self.inputs, "outputs": results, "ops": self.ops, "results": results,
            "bindings": [{"name": o["name"], "value": o["value"]} for o in outputs], "single": False,
        }  # fmt: skip

    def statement(self, s):
        if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and isinstance(s.value.value, str):
            return None  # a docstring
        if isinstance(s, ast.Pass):
            return None
        if isinstance(s, ast.AnnAssign) and s.value is not None and isinstance(s.target, ast.Name):
            self.assign(s.target.id, s.value)
            return None
        if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
            self.assign(s.targets[0].id, s.value)
            return None
        if isinstance(s, ast.Return):
            return self.result(s)
        kinds = {ast.If: "an `if`", ast.For: "a loop", ast.While: "a loop", ast.With: "a `with`", ast.Try: "a `try`", ast.Expr: "a call for its effect"}
        self.stop(s, kinds.get(type(s), f"a statement of the kind {type(s).__name__}"))

    def assign(self, name, node):
        if name in self.values and self.values[name][0] != "input" and not self.called(node):
            self.stop(node, f"`{name}` is set twice")
        if self.called(node):
            self.values[name] = ("step", self.call(node, {}))
            return
        each = self.comprehension(node)
        if each is not None:
            self.values[name] = each
            return
        text, t = self.expression(node, {})
        if name in self.values and self.values[name][0] == "input":
            self.stop(node, f"the input `{name}` is set anew")
        if re.fullmatch(r"[\w.]+", text):
            self.values[name] = ("value", text, t)  # another name for the same
            return
        self.ops.append({"kind": "let", "name": name, "value": text})
        self.values[name] = ("value", name, t)

    def result(self, s):
        node = s.value
        if node is None:
            self.stop(s, "it returns nothing")
        if is_prediction(node):
            if node.args:
                self.stop(node, "a Prediction of something that is not named")
            out = []
            for k in node.keywords:
                if k.arg is None:
                    step = self.step_of(k.value)
                    out += [{"name": f["name"], "value": f"{step}.{f['name']}", "type": f["type"]} for f in self.steps[step]["results"]]
                    continue
                each = self.comprehension(k.value)
                text, t = each[1:] if each else self.expression(k.value, {})
                out.append({"name": k.arg, "value": text, "type": t})
            return out
        step = self.call(node, {}) if self.called(node) else self.step_of(node)
        return [{"name": f["name"], "value": f"{step}.{f['name']}", "type": f["type"]} for f in self.steps[step]["results"]]

    def step_of(self, node):
        if isinstance(node, ast.Name) and self.values.get(node.id, ("",))[0] == "step":
            return self.values[node.id][1]
        self.stop(node, f"`{ast.unparse(node)}` is not what one of the modules gave")

    # Calls

    def called(self, node):
        """The part of self that a call calls: `draft`, `steps[0]`; None for other expressions."""
        return isinstance(node, ast.Call) and self.part(node.func) is not None

    def part(self, f):
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "self":
            return f.attr
        if isinstance(f, ast.Subscript) and isinstance(f.slice, ast.Constant):
            outer = self.part(f.value)
            return None if outer is None else f"{outer}[{f.slice.value!r}]"
        return None

    def call(self, node, names, each=None):
        part = self.part(node.func)
        try:
            target = eval(f"self.{part}", {"self": self.module})
        except Exception:
            self.stop(node, f"`self.{part}` is not there")
        if not is_module(target):
            self.stop(node, f"`self.{part}` is no module")
        name = step_name(part)
        if name in self.steps:
            self.stop(node, f"`self.{part}` is called twice")
        path = f"{self.path}.{part}" if self.path else part
        step = self.reader.leaf(target, path)
        if step is None:
            program = self.reader.program(target, type(target).__name__, path)
            step = {"module": program["name"], "inputs": program["inputs"], "outputs": program["outputs"], "results": program["results"], "settings": {}, "program": True}
        expected = [f["name"] for f in step["inputs"]]
        args, given = [], set()
        if len(node.args) > len(expected):
            self.stop(node, "more values than inputs")
        if node.args and not step.get("program"):
            self.stop(node, "DSPy takes named values only")
        pairs = list(zip(expected, node.args)) + [(k.arg, k.value) for k in node.keywords]
        for key, value in pairs:
            if key is None:
                if not (isinstance(value, ast.Name) and value.id == self.everything):
                    self.stop(value, f"`**{ast.unparse(value)}`")
                for f in step["inputs"]:
                    if f["name"] not in given:
                        given.add(f["name"])
                        args.append({"name": f["name"], "value": f["name"]})
                        if f["name"] not in self.values:
                            self.inputs.append(dict(f))
                            self.values[f["name"]] = ("input", f["name"], f)
                continue
            if key not in expected:
                self.stop(value, f"`self.{part}` has no input `{key}`")
            field = next(f for f in step["inputs"] if f["name"] == key)
            if isinstance(value, ast.Name) and value.id in self.untyped and not names:
                known = self.values[value.id][2]
                known["type"], known["description"] = field["type"], field["description"]
                self.untyped.discard(value.id)
            text, _ = self.expression(value, names)
            given.add(key)
            args.append({"name": key, "value": text})
        missing = [f["name"] for f in step["inputs"] if f["name"] not in given and "default" not in f]
        if missing:
            self.stop(node, f"`self.{part}` gets no `{missing[0]}`")
        step = {"kind": "step", "name": name, "args": args, **step}
        if each is not None:
            step["for_each"] = each
            step["results"] = [{**f, "type": f"list[{f['type']}]"} for f in step["results"]]
        self.steps[name] = step
        self.ops.append(step)
        return name

    def comprehension(self, node):
        """[self.part(x=e).field for e in list] is a step for each element."""
        if not (isinstance(node, ast.ListComp) and len(node.generators) == 1):
            return None
        g = node.generators[0]
        if g.ifs or g.is_async or not isinstance(g.target, ast.Name):
            return None
        if not (isinstance(node.elt, ast.Attribute) and self.called(node.elt.value)):
            return None
        source, t = self.expression(g.iter, {})
        inner = re.fullmatch(r"list\[(.*)\]", t)
        if inner is None:
            self.stop(g.iter, f"`{ast.unparse(g.iter)}` is not known to be a list")
        step = self.call(node.elt.value, {g.target.id: ("each.value", inner[1])}, each=source)
        field = next((f for f in self.steps[step]["results"] if f["name"] == node.elt.attr), None)
        if field is None:
            self.stop(node.elt, f"`{step}` gives no `{node.elt.attr}`")
        return ("value", f"{step}.{node.elt.attr}", field["type"])

    # Expressions, as dspi writes them, with their types

    def expression(self, node, names):
        if isinstance(node, ast.Constant):
            try:
                kind = {str: "string", bool: "bool", int: "int", float: "float"}.get(type(node.value), "json")
                return literal(node.value), kind
            except Unreadable as e:
                self.stop(node, str(e))
        if isinstance(node, ast.Name):
            if node.id in names:
                return names[node.id]
            known = self.values.get(node.id)
            if known is None:
                self.stop(node, f"`{node.id}` is not known here")
            if known[0] == "step":
                self.stop(node, f"all of what `{known[1]}` gave is used as one value")
            return (known[1], known[2]["type"]) if known[0] == "input" else (known[1], known[2])
        field, owner = None, None
        if isinstance(node, ast.Attribute):
            field, owner = node.attr, node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            field, owner = node.slice.value, node.value
        if field is not None:
            if isinstance(owner, ast.Name) and self.values.get(owner.id, ("",))[0] == "step":
                step = self.values[owner.id][1]
            elif self.called(owner):
                step = self.call(owner, names)
            else:
                text, _ = self.expression(owner, names)
                return f"{text}.{field}", "json"
            found = next((f for f in self.steps[step]["results"] if f["name"] == field), None)
            if found is None:
                self.stop(node, f"`{step}` gives no `{field}`")
            return f"{step}.{field}", found["type"]
        if isinstance(node, ast.JoinedStr):
            out = []
            for part in node.values:
                if isinstance(part, ast.Constant):
                    out.append(quote(part.value)[1:-1])
                    continue
                if part.conversion != -1 or part.format_spec is not None:
                    self.stop(node, "a format in an f-string")
                text, t = self.expression(part.value, names)
                if re.sub(r"\(.*", "", t) not in ("string", "int") and not all(m.startswith('"') for m in t.split(" | ")):
                    self.stop(node, f"an f-string with a value of the type {t}")
                out.append("${" + text + "}")
            return '"' + "".join(out) + '"', "string"
        if isinstance(node, (ast.List, ast.Tuple)):
            parts = [self.expression(e, names) for e in node.elts]
            kinds = {t for _, t in parts}
            return "[" + ", ".join(p for p, _ in parts) + "]", f"list[{kinds.pop() if len(kinds) == 1 else 'json'}]"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            (a, ta), (b, tb) = self.expression(node.left, names), self.expression(node.right, names)
            if ta == tb == "string" or ta == tb and ta in ("int", "float"):
                return f"{a} + {b}", ta
        self.stop(node, f"the expression `{ast.unparse(node)}`")


def describe(module, target, attribute):
    """Says what a module is."""
    reader = Reader()
    reader.where = target
    name = attribute.rpartition(".")[2]
    if snake(name) in RESERVED and type(module).__module__.startswith("dspy."):
        name = os.path.basename(target.rpartition(":")[0]).removesuffix(".py").rpartition(".")[2]
    if snake(name) in RESERVED:
        name = type(module).__name__
    program = reader.program(module, name, "")
    state = module.dump_state()
    for path, sub in module.named_sub_modules(dspy.Predict):
        known = path.removeprefix("self.") if path != "self" else "self"
        if known not in state and getattr(sub, "signature", None) is not None:
            if id(sub) not in {id(p) for _, p in module.named_parameters()}:
                state[known] = sub.dump_state()
                reader.notes.append(f"{known}: stands in a compiled module, which DSPy does not save; the state has it all the same")
    from dspy.utils.saving import get_dependency_versions

    state["metadata"] = {"dependency_versions": get_dependency_versions()}
    notes = list(dict.fromkeys(reader.notes))
    return {
        "dspy": dspy.__version__, "main": program["name"], "class": type(module).__name__, "types": reader.types.declared,
        "programs": reader.programs, "notes": notes, "state": json.loads(json.dumps(state, default=str, ensure_ascii=False)),
    }  # fmt: skip


def main(target):
    module, attribute = load(target)
    try:
        answer(describe(module, target, attribute))
    except Exception as e:
        fail("fault", "".join(traceback.format_exception(e)))


if __name__ == "__main__":
    RESULT = os.dup(1)
    os.dup2(2, 1)

try:
    import dspy
    import pydantic
    import pydantic_core
except ImportError as e:
    fail("no dspy", str(e), name=sys.executable)

if __name__ == "__main__":
    main(sys.argv[1])
