"""Writes into every case of this folder what the real DSPy's ProgramOfThought and CodeAct
send and give.

    python generate.py            rewrite the calls and outputs in every *.txtar here
    python generate.py --check    only compare; exit 1 if any would change
    python generate.py NAME ...   only these cases (with or without .txtar)

A case is a txtar file: a comment, then

    program.dsp          the program in dspi, with its tools
    python.py            the same in Python: defines `module`; the tools below are there,
                         and `Interpreter`, which stands for DSPy's: it runs the code here
                         and gives what DSPy's Pyodide gives (JSON of JavaScript, errors
                         with their arguments)
    inputs.json          an object
    replies.json         what the model answers, in order: texts, or {"full": true} where
                         the prompt does not fit into its context

and, written by this script and never by hand,

    results.json         what came of each piece of code: {"text"} or {"fault"}
    state.json           what the tuned module saves, where python.py defines `tune(module)`:
                         the module that is called has loaded it
    calls.json           the messages of each call
    outputs.json         the outputs; null where DSPy gives up
"""

import ast
import contextlib
import io
import json
import logging
import pathlib
import sys
import traceback
import warnings

import dspy
import pydantic
from dspy.primitives.code_interpreter import CodeExecutionError, FinalOutput

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from conversations import WANTED, Script, read_txtar, tuned, write_txtar  # noqa: E402

warnings.simplefilter("ignore", DeprecationWarning)
logging.disable(logging.ERROR)


def search(query: str, k: int = 3) -> list[str]:
    """Search the notes."""
    return [f"{query} {n}" for n in range(1, k + 1)]


def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


def mend(part: str) -> str:
    """Mend what is broken."""
    raise RuntimeError("the workshop is closed")


class Submitted(BaseException):
    pass


def submit(output):
    raise Submitted({"output": output})


submit.__name__ = submit.__qualname__ = "SUBMIT"


def crossed(v):
    """A value as it comes back through JavaScript."""
    if isinstance(v, float) and v.is_integer():
        return int(v)
    if isinstance(v, dict):
        return {k: crossed(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [crossed(x) for x in v]
    return v


class Interpreter:
    results = []

    def __init__(self):
        self.tools, self.space = {}, {"__name__": "__main__", "SUBMIT": submit}

    def start(self):
        pass

    def shutdown(self):
        pass

    def execute(self, code, variables=None):
        if code.startswith("def ") and '"""' in code:  # the source of a tool
            return exec(code, self.space)
        printed = io.StringIO()
        try:
            tree, last = ast.parse(code, "<exec>"), None
            if tree.body and isinstance(tree.body[-1], ast.Expr):
                last = ast.Expression(tree.body.pop().value)
            with contextlib.redirect_stdout(printed):
                exec(compile(tree, "<exec>", "exec"), self.space)
                value = eval(compile(last, "<exec>", "eval"), self.space) if last else None
        except Submitted as e:
            return self.given(FinalOutput(crossed(e.args[0])))
        except SyntaxError as e:
            raise self.failed(SyntaxError("Invalid Python syntax. message: " + "".join(traceback.format_exception_only(e)).strip()))
        except Exception as e:
            raise self.failed(CodeExecutionError(f"{type(e).__name__}: {list(e.args)}"))
        return self.given(printed.getvalue() if value is None else crossed(value))

    def given(self, result):
        Interpreter.results.append({"text": json.dumps(result.output if isinstance(result, FinalOutput) else result)})
        return result

    def failed(self, error):
        Interpreter.results.append({"fault": str(error)})
        return error


def converse(files):
    scope = {"dspy": dspy, "search": search, "add": add, "mend": mend, "Interpreter": Interpreter}
    module, state = tuned(files, scope)
    model = Script(json.loads(files["replies.json"]))
    adapter = {"chat": dspy.ChatAdapter, "json": dspy.JSONAdapter, "xml": dspy.XMLAdapter}[scope.get("adapter", "chat")]()
    Interpreter.results = []
    outputs = None
    with dspy.context(lm=model, adapter=adapter, warn_on_type_mismatch=False):
        try:
            prediction = module(**json.loads(files["inputs.json"]))
            outputs = {k: v for k, v in prediction.items() if k not in ("trajectory", "reasoning")}
        except RuntimeError as e:
            if not str(e).startswith("Max hops reached"):
                raise
    if model.replies:
        raise RuntimeError(f"{len(model.replies)} replies are left")
    return state, Interpreter.results, model.calls, outputs


def main(arguments):
    if dspy.__version__ != WANTED:
        sys.exit(f"this is dspy {dspy.__version__}; the cases are made with {WANTED}: pip install dspy=={WANTED}")
    check = "--check" in arguments
    names = {a.removesuffix(".txtar") for a in arguments if not a.startswith("-")}
    changed, total = [], 0
    for path in sorted(pathlib.Path(__file__).parent.rglob("*.txtar")):
        if names and path.stem not in names:
            continue
        old = path.read_text(encoding="utf-8")
        comment, files = read_txtar(old)
        total += 1
        state, results, calls, outputs = converse(files)
        files.pop("state.json", None)
        if state:
            files["state.json"] = state
        for name, made in {"results.json": results, "calls.json": calls, "outputs.json": outputs}.items():
            files.pop(name, None)  # to its place in the order
            files[name] = json.dumps(made, ensure_ascii=False, indent=2)
        new = write_txtar(comment, files)
        if new != old:
            changed.append(path.name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if names and total != len(names):
        sys.exit("no such case among: " + " ".join(sorted(names)))
    verb = "would change" if check else "rewritten"
    print(f"dspy {dspy.__version__}, pydantic {pydantic.VERSION}: {total} conversations with code, {len(changed)} {verb}")
    for name in changed:
        print("  " + name)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
