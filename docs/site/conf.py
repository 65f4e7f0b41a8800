"""The documentation site: Sphinx reads the Markdown of docs/ as it is (make site).

The pages are written for a reader of the repository, so they hold no directives. What a
site needs beside them is added here: which page stands where, and the colours of .dsp.
"""

import glob
import os
import re

from pygments.lexer import RegexLexer, bygroups, words
from pygments.lexers.configs import TerraformLexer
from pygments.lexers.data import JsonLexer
from pygments.lexers.special import TextLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

project = "dspi"
html_title = "dspi"
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
extensions = ["myst_parser"]
exclude_patterns = ["site"]
root_doc = "index"
nitpicky = True  # a reference that leads nowhere is a warning, and make site takes none
suppress_warnings = ["misc.highlighting_failure"]  # parts of programs with … in them keep their text without colours

myst_heading_anchors = 4

# What stands in the navigation below a page, in this order; the rest by name.
BELOW = {
    "index": [
        "guides/README", "cookbook/README", "language", "reference/README", "diagnostics/README", "decisions/README",
        "builtin-model", "alignment", "statistics", "results", "python-protocol", "architecture", "glossary",
    ],
    "guides/README": ["first-program", "extraction", "rag", "agent", "tuning", "python", "editors", "playground", "extend", "from-dspy", "from-baml"],
    "cookbook/README": [],
    "reference/README": ["blocks", "steps", "types", "functions", "providers", "optimizers", "settings", "commands"],
    "diagnostics/README": [],
    "decisions/README": [],
}


NAMED = re.compile(r"(?ms)^```(\w+)\n# ([\w./-]+)\n(.*?)^```$")


def names(app, docname, source):
    """Puts the name of a file, which is the first line of its block, above the block."""
    if docname.startswith(("guides/", "cookbook/")):
        source[0] = NAMED.sub(r"````{code-block} \1\n:caption: \2\n\n\3````", source[0])


def navigation(app, docname, source):
    """Ends a page with what stands below it."""
    if docname not in BELOW:
        return
    folder = os.path.join(app.srcdir, os.path.dirname(docname))
    there = {os.path.splitext(os.path.basename(p))[0] for p in glob.glob(os.path.join(folder, "*.md"))}
    pages = BELOW[docname] + sorted(there - set(BELOW[docname]) - {os.path.basename(docname)})
    shown = "" if docname == "decisions/README" else ":hidden:\n"
    source[0] += "\n\n```{toctree}\n" + shown + ":maxdepth: 1\n\n" + "\n".join(pages) + "\n```\n"


class DspLexer(RegexLexer):
    """Programs in .dsp."""

    name = "dsp"
    aliases = ["dsp"]
    tokens = {
        "root": [
            (r"(#|//)[^\n]*", Comment.Single),
            (r"/\*.*?\*/", Comment.Multiline),
            (r"(?s)<<-?(\w+)\n.*?\n[ \t]*\1", String.Heredoc),
            (r'"(\\.|[^"\\\n])*"?', String),
            (r"`[^`]*`", String),
            (r"\d[\d_]*(\.\d+)?([eE][+-]?\d+)?", Number),
            (words(("true", "false", "null", "it", "it_index", "acc", "each"), prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(("string", "int", "float", "bool", "date", "datetime", "duration", "json", "list", "map", "tuple"), prefix=r"\b", suffix=r"\b"), Keyword.Type),
            (r"\b(import|let|type|enum|signature|program|model|variable|tool|retriever|dataset|metric|evaluate|optimize|constraint|test)\b(?=\s+[\w\"])", Keyword),
            (r"([^\W\d]\w*)(\s+)([^\W\d]\w*)(?=\s*\{)", bygroups(Keyword, Text, Name.Function)),
            (r"[^\W\d]\w*(?=\s*\{)", Keyword),
            (r"[^\W\d]\w*(?=\s*\??:)", Name.Attribute),
            (r"[^\W\d]\w*(?=\s*=[^=])", Name.Attribute),
            (r"[^\W\d]\w*(?=\()", Name.Builtin),
            (r"[^\W\d]\w*", Name),
            (r"->|\?\?|\?\.|&&|\|\||\.\.|[=!<>]=|[-+*/%^=<>!?|:]", Operator),
            (r"[\[\](){},.;]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }


class JSONLines(JsonLexer):
    name = "jsonl"
    aliases = ["jsonl"]


def setup(app):
    app.add_lexer("dsp", DspLexer)
    app.add_lexer("jsonl", JSONLines)
    app.add_lexer("dspvars", TerraformLexer)
    for kind in ["baml", "base64", "csv", "txt", "txtar"]:
        app.add_lexer(kind, TextLexer)
    app.connect("source-read", names)
    app.connect("source-read", navigation)
    return {"parallel_read_safe": True}
