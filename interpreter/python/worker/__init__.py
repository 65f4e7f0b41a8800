"""What Python code can ask of dspi while it runs as a step.

    dspi.tool("area")(height=3, width=4)    calls a tool of the step
    dspi.tools()                            all of them, as dspy.Tool
    dspi.address()                          which step runs: program.rag.rank
"""


def tool(name):
    """The tool of the step that has a name, as a dspy.Tool."""
    from dspi import _calls

    for t in tools():
        if t.name == name:
            return t
    known = ", ".join(t.name for t in tools()) or "none"
    raise LookupError(f"the step `{_calls.current().address}` has no tool `{name}`; it has {known}: name it in the step's `tools`")


def tools():
    """The tools of the step, as a list of dspy.Tool."""
    from dspi import _calls, _programs

    return _programs.tools(_calls.current().tools)


def address():
    """The address of the step that runs."""
    from dspi import _calls

    return _calls.current().address
