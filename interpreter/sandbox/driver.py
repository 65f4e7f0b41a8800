# Runs code that it is sent, in one namespace, and says what came of it. Speaks with
# its host in frames: four bytes of length, then JSON. What the code finds is
# limited by whoever started this; here are the limits of the process itself.
import ast, builtins, io, json, keyword, math, os, struct, sys, threading, traceback

_in, _out = os.dup(0), os.dup(1)  # and no other file stays open
_null = os.open(os.devnull, os.O_RDWR)
for _fd in (0, 1, 2):
    os.dup2(_null, _fd)
os.close(_null)
_fds = sorted((2, _in, _out))
os.closerange(_fds[0] + 1, _fds[1])
os.closerange(_fds[1] + 1, _fds[2])
os.closerange(_fds[2] + 1, 65536)


class _Submitted(BaseException):
    pass


class _TooMuch(BaseException):
    pass


class _Printed(io.TextIOBase):
    def __init__(self, most):
        self.parts, self.left, self.most = [], most, most

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        kept = text[: max(0, self.left)]
        self.parts.append(kept)
        self.left -= len(text)
        if self.left < 0:
            raise _TooMuch("the code prints more than %d characters" % self.most)
        return len(text)

    def text(self):
        return "".join(self.parts)


class _Nowhere(io.TextIOBase):
    def writable(self):
        return True

    def write(self, text):
        return len(text)


def _read(n):
    parts = []
    while n > 0:
        part = os.read(_in, min(n, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def _receive():
    return json.loads(_read(struct.unpack(">I", _read(4))[0]))


def _send(frame):
    data = json.dumps(frame).encode()
    data = memoryview(struct.pack(">I", len(data)) + data)
    while data:
        data = data[os.write(_out, data) :]


def _limit(limits):
    try:
        import resource
    except ImportError:  # not a Unix
        return
    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", limits["file"]), ("RLIMIT_NOFILE", 64), ("RLIMIT_AS", limits["memory"])):
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (ValueError, OSError, AttributeError):
            if name == "RLIMIT_AS" and sys.platform.startswith("linux"):
                raise


def _limit_cpu(seconds):
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    except (ImportError, ValueError, OSError):
        pass


# What DSPy's interpreter hands over has been JSON of JavaScript: 4.0 is 4 there.
def _plain(v, depth=0):
    if depth > 200:
        raise ValueError("the value is nested too deep")
    if isinstance(v, bool) or v is None or isinstance(v, (str, int)):
        return v
    if isinstance(v, float):
        if not math.isfinite(v):
            return None
        return int(v) if abs(v) < 1e21 and v == int(v) else v
    if isinstance(v, dict):
        return {k if isinstance(k, str) else str(k): _plain(x, depth + 1) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [_plain(x, depth + 1) for x in v]
    if isinstance(v, (set, frozenset)):
        try:
            v = sorted(v)
        except TypeError:
            v = list(v)
        return [_plain(x, depth + 1) for x in v]
    raise TypeError("a value of type " + type(v).__name__ + " cannot be handed on; only text, numbers, booleans, None, lists and dicts can")


class _Long(Exception):
    pass


def _written(v, most):
    parts, size = [], 0
    for part in json.JSONEncoder().iterencode(_plain(v)):
        size += len(part)
        if size > most:
            raise _Long("the value has more than %d characters" % most)
        parts.append(part)
    return "".join(parts)


_lock = threading.Lock()


def _call(name, args, named):
    with _lock:
        _send({"call": name, "args": [_plain(a) for a in args], "named": _plain(named)})
        reply = _receive()
    if "error" in reply:
        raise RuntimeError(reply["error"])
    return reply.get("value")


def _caller(name, parameters):
    if parameters is not None and all(_is_name(n) for n in [name] + [p["name"] for p in parameters]):
        return _declared(name, parameters, lambda named: _call(name, (), named))

    def call(*args, **named):
        return _call(name, args, named)

    call.__name__ = call.__qualname__ = name
    return call


def _is_name(text):
    return text.isidentifier() and not keyword.iskeyword(text)


# A function with parameters, so that a wrong call fails as any does in Python.
def _declared(name, parameters, do):
    parts, space = [], {"_dspi_do": do}
    for i, p in enumerate(parameters):
        if "default" in p:
            space["_default_%d" % i] = p["default"]
            parts.append("%s=_default_%d" % (p["name"], i))
            continue
        if len(space) > 1 and "*" not in parts:
            parts.append("*")
        parts.append(p["name"])
    given = ", ".join("%r: %s" % (p["name"], p["name"]) for p in parameters)
    exec("def %s(%s):\n    return _dspi_do({%s})" % (name, ", ".join(parts), given), space)
    return space[name]


def _submit(values):
    raise _Submitted(values)


# Values of variables as their texts say: JSON, or behind a = what only Python can write.
def _values(texts):
    known = {"nan": math.nan, "inf": math.inf}
    return {name: eval(t[1:], dict(known)) if t[:1] == "=" else json.loads(t) for name, t in texts.items()}


def _told(e):
    if isinstance(e, SyntaxError):
        return "Invalid Python syntax. message: " + "".join(traceback.format_exception_only(type(e), e)).strip()
    try:
        args = json.loads(json.dumps(e.args))
    except Exception:
        args = [str(e)]
    if not args:
        args = "".join(traceback.format_exception_only(type(e), e)).strip()
    return "%s: %s" % (type(e).__name__, args)


def _run(code, space, limits):
    tree = compile(code, "<exec>", "exec", ast.PyCF_ONLY_AST, True)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, "<exec>", "exec", 0, True), space)
    return eval(compile(last, "<exec>", "eval", 0, True), space) if last else None


def _cycle(code, variables, space, limits):
    printed = _Printed(limits["output"])
    sys.stdout, sys.stderr, sys.stdin = printed, _Nowhere(), io.StringIO()
    reply = {}
    try:
        try:
            space.update(_values(variables))
            result = _run(code, space, limits)
            reply["value"] = _written(printed.text() if result is None else result, limits["value"])
        except _Submitted as e:
            reply["value"], reply["final"] = _written(e.args[0], limits["value"]), True
            del e
        result = None
    except _TooMuch as e:
        reply["limit"], reply["error"] = "output", str(e)
    except _Long as e:
        reply["limit"], reply["error"] = "value", str(e)
    except MemoryError:
        reply["limit"] = "memory"
    except BaseException as e:
        try:
            reply["error"] = _told(e)[: limits["value"]]
        except BaseException:
            reply["error"] = type(e).__name__
    finally:
        sys.stdout, sys.stderr = _Nowhere(), _Nowhere()
    reply["printed"] = printed.text()
    return reply


def _main():
    limits = _receive()
    space = {"__name__": "__main__", "__builtins__": builtins}
    outputs = [{"name": n} for n in limits["outputs"] if _is_name(n)] or [{"name": "output"}]
    space["SUBMIT"] = _declared("SUBMIT", outputs, _submit)
    for f in limits["functions"]:
        space[f["name"]] = _caller(f["name"], f.get("parameters"))
    variables = {}
    _limit(limits)
    sys.setrecursionlimit(2000)
    threading.stack_size(2 << 20)
    _send({"ready": "%d.%d.%d" % sys.version_info[:3]})
    while True:
        frame = _receive()
        variables = frame.get("variables", variables)
        _limit_cpu(limits["cpu"])
        _send({"done": _cycle(frame["run"], variables, space, limits)})


_main()
