"""Frames: four bytes of length, big-endian, then JSON."""

import json
import os
import struct
import threading


class TooLarge(Exception):
    def __init__(self, size, most):
        super().__init__(f"a frame of {size} bytes is larger than the limit of {most}")
        self.size = size


class Wire:
    """Reads frames in one thread and writes them from many."""

    def __init__(self, source, sink, most):
        self.source, self.sink, self.most = source, sink, most
        self.lock = threading.Lock()

    def read(self):
        """The next frame; None when the host is gone."""
        head = self.exactly(4)
        if head is None:
            return None
        (n,) = struct.unpack(">I", head)
        if n > self.most:
            raise TooLarge(n, self.most)
        data = self.exactly(n)
        return None if data is None else json.loads(data)

    def exactly(self, n):
        parts = []
        while n > 0:
            part = self.source.read(n)
            if not part:
                return None
            parts.append(part)
            n -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, message):
        data = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "surrogatepass")
        if len(data) > self.most:
            raise TooLarge(len(data), self.most)
        data = struct.pack(">I", len(data)) + data
        with self.lock:
            view = memoryview(data)
            try:
                while view:
                    view = view[self.sink.write(view) or 0 :]
            except (OSError, ValueError):
                os._exit(0)  # the host is gone
