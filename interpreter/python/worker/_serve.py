"""The worker: one thread reads frames, the main one imports what is the user's, and
each call has a thread of its own."""

import collections
import gc
import io
import os
import queue
import sys
import threading
import time

import dspy
from dspy.utils.exceptions import AdapterParseError

from dspi import _calls, _functions, _lm, _optimize, _programs, _values, _wire

dspy.LM = _lm.LM

# Commands of which each names a target, which the main thread imports.
TARGETS = ("call_tool", "retrieve", "embed", "read_rows", "describe", "optimize_program")


def said(e):
    """The text of an exception; its own __str__ may fail."""
    try:
        return str(e)
    except _calls.Ended:
        raise
    except BaseException as again:
        return f"its __str__ failed with {type(again).__name__}"


class Server(_functions.Commands, _optimize.Commands):
    def __init__(self, wire):
        self.wire = wire
        self.lock = threading.Lock()
        self.calls = {}  # under way, by number
        self.waiting = {}  # questions to the host, by number
        self.programs = {}
        self.main = queue.SimpleQueue()  # what the main thread does
        self.idle = collections.deque()  # threads that wait for a call
        self.draining = False
        self.started = time.monotonic()
        self.count = 0

    # Frames

    def read(self):
        while True:
            message = self.wire.read()
            if message is None:
                os._exit(0)
            kind = message["type"]
            if kind == "response":
                with self.lock:
                    w = self.waiting.pop(message["id"], None)
                if w is not None:
                    w.answer = message
                    w.event.set()
            elif kind == "request":
                self.request(message)
            elif kind == "cancel":
                call = self.calls.get(message["id"])
                if call is not None:
                    call.end()

    def request(self, m):
        command = m["command"]
        if command == "ping":
            self.respond(m["id"], {"rss": resident(), "calls": len(self.calls), "programs": len(self.programs), "uptime": time.monotonic() - self.started})
        elif command == "shutdown":
            self.shutdown(m)
        elif command == "create_program" or command in TARGETS:
            self.main.put(lambda: self.begin(m))  # the main thread imports; what takes long is called elsewhere
        elif command in ("execute_program", "list_programs", "delete_program", "get_program_info"):
            self.begin(m)
        else:
            self.fail(m["id"], {"kind": "unknown_command", "message": f"there is no command `{command}`"})

    def begin(self, m):
        call = _calls.Call(self, m["id"], m.get("args") or {})
        with self.lock:
            self.calls[call.number] = call
        if m["command"] == "create_program":
            self.perform(m, call)
            return
        if m["command"] in TARGETS:
            try:
                _programs.resolve(m["args"]["target"])
            except Exception:
                pass  # said again, where it is reported
        try:
            slot = self.idle.pop()
        except IndexError:
            slot = queue.SimpleQueue()
            threading.Thread(target=self.thread, args=(slot,), daemon=True).start()
        slot.put((m, call))

    def thread(self, slot):
        while True:
            try:
                m, call = slot.get()
                self.perform(m, call)
            except _calls.Ended:
                pass  # it came when the call was over
            if len(self.idle) > 64:
                return
            self.idle.append(slot)

    def perform(self, m, call):
        call.thread = threading.get_ident()
        try:
            result, error = getattr(self, m["command"])(call, m.get("args") or {}), None
        except BaseException as e:
            try:
                result, error = None, self.error(e)
            except BaseException as again:  # the end of the call, or the exception cannot be written
                if not isinstance(again, _calls.Ended):
                    again = RuntimeError(f"a {type(e).__name__} that cannot be written: {type(again).__name__}")
                result, error = None, self.error(again)
        call.thread, call.ended = None, True
        self.drop(call)  # threads of its own that still ask
        with self.lock:
            self.calls.pop(call.number, None)
            self.count += 1
        if error is not None:
            self.fail(call.number, error)
        else:
            self.respond(call.number, result)

    def respond(self, number, result):
        try:
            self.wire.write({"type": "response", "id": number, "result": result})
        except _wire.TooLarge as e:
            self.fail(number, {"kind": "too_large", "message": str(e)})
        except (TypeError, ValueError) as e:
            self.fail(number, {"kind": "unfit", "message": str(e)})

    def fail(self, number, error):
        for name, most in (("message", 20_000), ("traceback", 40_000), ("reply", 200_000)):
            if len(error.get(name) or "") > most:
                error[name] = error[name][:most] + " …"
        self.wire.write({"type": "response", "id": number, "error": error})

    def error(self, e):
        """An exception as a typed error."""
        seen, x = set(), e
        while x is not None and id(x) not in seen:
            seen.add(id(x))
            if getattr(x, "dspi_error", None) is not None:
                return {"kind": "host", "number": x.dspi_error, "message": str(x)}
            x = x.__cause__ or x.__context__
        if isinstance(e, _calls.Ended):
            return {"kind": "ended", "message": str(e)}
        if isinstance(e, _programs.Fault):
            return {"kind": e.kind, "message": str(e), **e.more}
        if isinstance(e, _values.Unfit):
            return {"kind": "unfit", "message": str(e)}
        if isinstance(e, _wire.TooLarge):
            return {"kind": "too_large", "message": str(e)}
        if isinstance(e, AdapterParseError):
            return {"kind": "parse", "message": str(e), "reply": e.lm_response or "", "traceback": _programs.trace(e)}
        return {"kind": "raised", "message": f"{type(e).__name__}: {said(e)}".strip(), "traceback": _programs.trace(e)}

    # Questions to the host

    def ask(self, call, command, args):
        number = next(_calls.numbers)
        w = _calls.Waiting(call)
        with self.lock:
            self.waiting[number] = w
        self.wire.write({"type": "request", "id": number, "call": call.number, "command": command, "args": args})
        w.event.wait()
        answer = w.answer
        if answer is None:
            raise call.ending()
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        if error["kind"] == "ended":
            raise call.ending(error["message"], error.get("number"))
        if error["kind"] == "tool":
            raise _calls.ToolError(error["message"])
        raise _lm.HostError(error["kind"], error["message"], error.get("number"))

    def drop(self, call):
        """Lets a call go on that waits for the host, without an answer."""
        with self.lock:
            gone = [n for n, w in self.waiting.items() if w.call is call]
            for n in gone:
                self.waiting.pop(n).event.set()

    # Commands

    def create_program(self, call, args):
        if args["id"] not in self.programs:
            self.programs[args["id"]] = _programs.Program(len(self.programs) + call.number, args["program"])
        return {"id": args["id"]}

    def execute_program(self, call, args):
        program = self.programs.get(args["id"])
        if program is None:
            raise _programs.Fault("no_program", f"there is no program `{args['id']}`")
        call.tools, call.retrievers = program.tools, program.spec.get("retrievers") or []
        context = {"lm": _lm.LM(call.model), "dspi_call": call, "trace": [], "disable_history": True}
        if rollout := args.get("rollout"):
            context["lm"].kwargs["rollout_id"] = rollout
        if program.adapter is not None:
            context["adapter"] = program.adapter()
        elif program.spec.get("adapter") == "two_step":
            context["adapter"] = dspy.TwoStepAdapter(context["lm"])
        with dspy.context(**context):
            return {"outputs": program.execute(call, args["inputs"])}

    def list_programs(self, call, args):
        return {"programs": list(self.programs)}

    def delete_program(self, call, args):
        program = self.programs.pop(args["id"], None)
        if program is None:
            raise _programs.Fault("no_program", f"there is no program `{args['id']}`")
        program.forget()
        return {"deleted": args["id"]}

    def get_program_info(self, call, args):
        program = self.programs.get(args["id"])
        if program is None:
            raise _programs.Fault("no_program", f"there is no program `{args['id']}`")
        run = program.run
        predictors = []
        if isinstance(run, dspy.Module):
            for name, p in run.named_predictors():
                predictors.append({"name": name, "signature": p.signature.signature, "instructions": p.signature.instructions, "demos": len(p.demos)})
        return {"id": args["id"], "kind": program.spec["kind"], "class": type(run).__name__, "outputs": program.outputs, "predictors": predictors}

    def shutdown(self, m):
        """Ends the worker when the calls under way are done, or at once."""
        self.draining = True

        def end():
            until = time.monotonic() + float((m.get("args") or {}).get("grace", 0))
            while self.calls and time.monotonic() < until:
                time.sleep(0.01)
            self.respond(m["id"], {"calls": len(self.calls)})
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

        threading.Thread(target=end, daemon=True).start()


def resident():
    """The bytes of memory that the process holds."""
    try:
        with open("/proc/self/statm", "rb") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        pass
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    except ImportError:
        return 0


class Printed(io.TextIOBase):
    """stdout and stderr: each line with the number of the call that prints it."""

    def __init__(self, under):
        self.under, self.parts = under, threading.local()

    encoding, errors = "utf-8", "replace"

    def writable(self):
        return True

    def fileno(self):
        return self.under.fileno()

    def isatty(self):
        return False

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        held = getattr(self.parts, "held", "") + text
        lines, _, rest = held.rpartition("\n")
        if len(rest) > 65536:
            lines, rest = held, ""
        self.parts.held = rest
        if lines:
            self.send(lines)
        return len(text)

    def send(self, lines):
        try:
            call = dspy.settings.get("dspi_call")
        except Exception:
            call = None
        mark = f"\x1e{call.number}\x1f" if call is not None else ""
        data = "".join(f"{mark}{line}\n" for line in lines.split("\n")).encode("utf-8", "replace")
        try:
            fd = self.under.fileno()
            while data:
                data = data[os.write(fd, data) :]
        except OSError:
            pass  # nobody reads

    def flush(self):
        held = getattr(self.parts, "held", "")
        if held:
            self.parts.held = ""
            self.send(held)


def main(source, sink, hello):
    sys.stdout, sys.stderr = Printed(sys.__stdout__), Printed(sys.__stderr__)
    wire = _wire.Wire(source, sink, hello["max_frame"])
    server = Server(wire)
    gc.freeze()  # what importing DSPy made stays
    wire.write({
        "type": "hello", "protocol": 1, "python": "%d.%d.%d" % sys.version_info[:3], "dspy": dspy.__version__,
        "pid": os.getpid(), "executable": sys.executable, "rss": resident(),
    })  # fmt: skip
    threading.Thread(target=server.read, daemon=True).start()
    while True:
        do = server.main.get()
        try:
            do()
        except _calls.Ended:
            pass
        except BaseException:
            sys.excepthook(*sys.exc_info())
