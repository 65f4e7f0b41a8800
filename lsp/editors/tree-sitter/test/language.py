"""The grammar as Python's tree-sitter knows it: builds src/ with the C compiler and loads it."""

import ctypes
import os
import pathlib
import subprocess
import tempfile

from tree_sitter import Language, Parser

FOLDER = pathlib.Path(__file__).resolve().parent.parent


def language():
    """Compiles the parser that is committed, and returns it."""
    with tempfile.TemporaryDirectory() as out:
        library = os.path.join(out, "dspi.so")
        subprocess.run(
            [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-I", FOLDER / "src",
             FOLDER / "src/parser.c", FOLDER / "src/scanner.c", "-o", library],
            check=True,
        )
        made = ctypes.CDLL(library).tree_sitter_dspi
    made.restype = ctypes.c_void_p
    pointer = made()
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return Language(capsule(pointer, b"tree_sitter.Language", None))


def parser(lang=None):
    return Parser(lang or language())


def mistakes(node):
    """Yields the nodes that are an ERROR or MISSING."""
    stack = [node]
    while stack:
        n = stack.pop()
        if n.is_error or n.is_missing:
            yield n
        elif n.has_error:
            stack.extend(reversed(n.children))
