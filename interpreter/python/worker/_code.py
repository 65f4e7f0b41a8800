"""The interpreter that DSPy's ProgramOfThought and CodeAct are given: code that a model
wrote is run by the host, in a process that is confined."""

import inspect

import dspy
from dspy.primitives.code_interpreter import CodeExecutionError

from dspi import _calls


class Interpreter:
    """One session of the host's, as a dspy.CodeInterpreter. It ends with the step."""

    def __init__(self, sources=()):
        self.sources = sources  # of functions that are there already
        self.number = None
        self.start()

    @property
    def tools(self):
        return {}

    def start(self):
        if self.number is None:
            self.number = _calls.current().ask("open_code", {})["code"]

    def execute(self, code, variables=None):
        if code in self.sources:
            return None
        if variables:
            code = "".join(f"{name} = {v!r}\n" for name, v in variables.items()) + code
        said = _calls.current().ask("run_code", {"code": self.number, "text": code})
        if "fault" in said:
            raise CodeExecutionError(said["fault"])
        return said["value"]

    def shutdown(self):
        pass  # the host does, when the step is over


def thought(sig, settings, demos):
    """dspy.ProgramOfThought, with demos for each of its predictors."""
    module = dspy.ProgramOfThought(sig, max_iters=settings.get("max_iters", 3), interpreter_factory=Interpreter)
    module.code_generate.predict.demos = [d for d in demos if "generated_code" in d and "previous_code" not in d]
    module.code_regenerate.predict.demos = [d for d in demos if "generated_code" in d and "previous_code" in d]
    module.generate_output.predict.demos = [d for d in demos if "generated_code" not in d]
    return module


def act(sig, settings, demos, tools):
    """dspy.CodeAct. It would run the source of its tools in the interpreter; here they
    are there already, and code that calls one calls the host."""
    sources = {inspect.getsource(t.func) for t in tools}
    module = dspy.CodeAct(sig, tools=tools, max_iters=settings.get("max_iters", 5), interpreter_factory=lambda: Interpreter(sources))
    module.codeact.demos = [d for d in demos if "generated_code" in d]
    module.extractor.predict.demos = [d for d in demos if "generated_code" not in d]
    return module
