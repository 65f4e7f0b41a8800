"""A host of the protocol in Python: plays the cases of this folder against a worker.

    python host.py        with a Python that has DSPy
"""

import glob
import json
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(HERE, "..", "..", "worker")


def text(name):
    with open(os.path.join(WORKER, name), encoding="utf-8") as f:
        return f.read()


class Host:
    def __init__(self):
        theirs, self.to = os.pipe()
        self.source, ours = os.pipe()
        env = {**os.environ, "DSPI_WORKER": f"{theirs},{ours}"}
        self.process = subprocess.Popen([sys.executable, "-c", text("boot.py")], pass_fds=(theirs, ours), env=env)
        os.close(theirs)
        os.close(ours)
        files = {"dspi": text("__init__.py")}
        for path in glob.glob(os.path.join(WORKER, "_[a-z]*.py")):
            name = os.path.basename(path)
            files["dspi." + name[:-3]] = text(name)
        self.send({"type": "hello", "protocols": [1], "max_frame": 64 << 20, "files": files, "paths": [HERE]})

    def send(self, frame):
        data = json.dumps(frame).encode()
        data = struct.pack(">I", len(data)) + data
        while data:
            data = data[os.write(self.to, data) :]

    def exactly(self, n):
        data = b""
        while len(data) < n:
            part = os.read(self.source, n - len(data))
            if not part:
                raise EOFError("the worker is gone")
            data += part
        return data

    def read(self):
        (n,) = struct.unpack(">I", self.exactly(4))
        return json.loads(self.exactly(n))


def bound(v, names):
    """A frame with the numbers that its names stand for."""
    if isinstance(v, str) and v.startswith("$"):
        return names[v]
    if isinstance(v, dict):
        return {k: bound(x, names) for k, x in v.items()}
    return v


def fits(pattern, v, names):
    if pattern == "*":
        return True
    if isinstance(pattern, str) and pattern.startswith("$"):
        return names.setdefault(pattern, v) == v
    if isinstance(pattern, dict):
        return isinstance(v, dict) and pattern.keys() == v.keys() and all(fits(pattern[k], v[k], names) for k in pattern)
    if isinstance(pattern, list):
        return isinstance(v, list) and len(pattern) == len(v) and all(fits(p, x, names) for p, x in zip(pattern, v))
    return pattern == v


def main():
    host = Host()
    hello = host.read()
    assert hello["type"] == "hello" and hello["protocol"] == 1 and hello["dspy"] and hello["python"], hello
    failed = 0
    for path in sorted(glob.glob(os.path.join(HERE, "*.json"))):
        with open(path, encoding="utf-8") as f:
            case = json.load(f)
        names = {}
        for step in case["frames"]:
            if "host" in step:
                host.send(bound(step["host"], names))
                continue
            got = host.read()
            if not fits(step["worker"], got, names):
                failed += 1
                print(f"{os.path.basename(path)}: the worker sends\n  {json.dumps(got)}\nand not\n  {json.dumps(step['worker'])}")
                break
    assert host.process.wait(10) == 0, host.process.returncode
    print(f"{len(glob.glob(os.path.join(HERE, '*.json')))} cases, {failed} failed")
    sys.exit(1 if failed else 0)


main()
