"""What Python code can ask of dspi while it runs as a step.

    dspi.tool("area")(height=3, width=4)    calls a tool of the step
    dspi.tools()                            all of them, as dspy.Tool
    dspi.retriever("wiki")("rivers", k=3)   searches a retriever of the step
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


class Passage(str):
    """A passage as DSPy's own have it: its text, with `long_text`, `text`, `title`, `id`, `score` and `meta`."""

    def __new__(cls, p):
        self = super().__new__(cls, p["long_text"])
        self.long_text, self.text, self.title = p["long_text"], p["text"], p.get("title") or ""
        self.id, self.score, self.meta = p.get("id") or "", p.get("score"), p.get("meta") or {}
        return self


def retriever(name):
    """What searches a retriever of the step: called with a query and k, it gives a list
    of passages, the best first. dspy.configure(rm=…) takes it, too."""
    from dspi import _calls

    known = _calls.current().retrievers
    if name not in known:
        listed = ", ".join(known) or "none"
        raise LookupError(f"the step `{_calls.current().address}` has no retriever `{name}`; it has {listed}: name it in the step's `tools`")

    def search(query, k=None, **_):
        found = _calls.current().ask("retrieve", {"name": name, "query": query, "k": k or 0})
        return [Passage(p) for p in found["passages"]]

    search.__name__ = search.__qualname__ = name
    return search


def address():
    """The address of the step that runs."""
    from dspi import _calls

    return _calls.current().address
