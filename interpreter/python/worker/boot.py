"""The first lines that a worker runs: `python -c`. They read one frame, the host's
hello, take the package `dspi` out of it, and hand over to it.

This file must be understood by every Python 3, so that an old one can say so."""

import sys

sys.path[:] = [p for p in sys.path if p]  # the current folder is not where modules are looked for

import json
import os
import struct


def channel():
    """The pipes from and to the host: two descriptors, or a socket with a token."""
    where = os.environ.pop("DSPI_WORKER", "")
    token = os.environ.pop("DSPI_WORKER_TOKEN", "")
    if where.startswith("tcp:"):
        import socket

        host, port = where[4:].rsplit(":", 1)
        s = socket.create_connection((host, int(port)))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(token.encode() + b"\n")
        return s.makefile("rb", 1 << 16), s.makefile("wb", 0)
    read, write = where.split(",")
    for fd in (int(read), int(write)):
        os.set_inheritable(fd, False)  # what the worker starts must not hold the pipes open
    return os.fdopen(int(read), "rb", 1 << 16), os.fdopen(int(write), "wb", 0)


def read_exactly(source, n):
    parts = []
    while n > 0:
        part = source.read(n)
        if not part:
            os._exit(0)  # the host is gone
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def boot():
    source, sink = channel()
    hello = json.loads(read_exactly(source, struct.unpack(">I", read_exactly(source, 4))[0]).decode("utf-8"))

    def refuse(kind, message):
        data = json.dumps({"type": "fault", "error": {"kind": kind, "message": message, "name": sys.executable}}).encode("utf-8")
        sink.write(struct.pack(">I", len(data)) + data)
        os._exit(3)

    if sys.version_info < (3, 10):
        refuse("python_version", "%d.%d.%d" % sys.version_info[:3])
    if 1 not in hello["protocols"]:
        refuse("protocol", "this worker speaks version 1, and the host %s" % hello["protocols"])

    import importlib.abc
    import importlib.machinery

    files = hello["files"]

    class Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
        """Finds the package `dspi` in the hello."""

        def find_spec(self, name, path, target=None):
            if name in files:
                spec = importlib.machinery.ModuleSpec(name, self, origin="<%s>" % name, is_package=name == "dspi")
                return spec
            return None

        def get_source(self, name):
            return files[name]

        def is_package(self, name):
            return name == "dspi"

        def get_code(self, name):
            return compile(files[name], "<%s>" % name, "exec")

        def exec_module(self, module):
            name = module.__name__
            import linecache

            linecache.cache["<%s>" % name] = (len(files[name]), None, files[name].splitlines(True), "<%s>" % name)
            exec(self.get_code(name), module.__dict__)

    sys.meta_path.insert(0, Finder())
    try:
        import dspy
    except ImportError as e:
        refuse("no_dspy", str(e))
    except BaseException as e:
        refuse("dspy_broken", "%s: %s" % (type(e).__name__, e))
    if not hasattr(dspy, "BaseLM"):
        refuse("dspy_version", getattr(dspy, "__version__", "unknown"))
    try:
        from dspi import _serve
    except BaseException as e:
        import traceback

        refuse("internal", "".join(traceback.format_exception(type(e), e, e.__traceback__)))
    for folder in reversed(hello.get("paths") or []):
        sys.path.insert(0, folder)
    _serve.main(source, sink, hello)


boot()
