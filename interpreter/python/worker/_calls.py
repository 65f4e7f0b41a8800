"""The calls that are under way, and what they ask of the host."""

import ctypes
import itertools
import threading

import dspy


class Ended(BaseException):
    """The host ends the call: the run was stopped, or its budget is used up. No
    `except Exception` keeps it from ending."""

    def __init__(self, message="the run was stopped", number=None):
        super().__init__(message)
        self.dspi_error = number


class ToolError(Exception):
    """A tool failed; the text is for the model, too."""


class Call:
    """One request of the host that is under way."""

    def __init__(self, server, number, args):
        self.server, self.number = server, number
        self.address = args.get("address", "")
        self.features = args.get("features") or {}
        self.model = args.get("model") or ""
        self.tools = args.get("tools") or []
        self.retrievers = []  # names
        self.models = []  # that the code may ask for beside its own
        self.thread = None
        self.ended = False
        self.why = None  # the message and number the host ended it with

    def ask(self, command, args):
        """Asks the host and waits for what it answers."""
        if self.ended:
            raise self.ending()
        return self.server.ask(self, command, args)

    def ending(self, *why):
        """What ends each thread of the call: the first reason is that of all."""
        self.ended = True
        if self.why is None and why:
            self.why = why
        return Ended(*(self.why or ()))

    def partial(self, value):
        self.server.wire.write({"type": "partial", "id": self.number, "value": value})

    def end(self):
        """Ends the call from another thread: what it waits for, and its code."""
        self.ended = True
        self.server.drop(self)
        if self.thread is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(Ended))


class Waiting:
    """A question to the host that has no answer yet."""

    __slots__ = ("call", "event", "answer")

    def __init__(self, call):
        self.call, self.event, self.answer = call, threading.Event(), None


numbers = itertools.count(1)


def current():
    """The call that runs in this thread, or in the one that started it with DSPy."""
    call = dspy.settings.get("dspi_call")
    if call is None:
        raise RuntimeError(
            "no step of dspi runs here: a thread of your own must be started with DSPy (dspy.Parallel), "
            "or within contextvars.copy_context().run(…)"
        )
    return call
