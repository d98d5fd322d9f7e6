# SPDX-License-Identifier: Apache-2.0
"""Just enough of a C++ scanner for code that clang-format has laid out.

It knows comments, literals and braces. It does not know macros that open or close a brace, nor
#if branches whose braces differ; where braces do not balance it says so instead of guessing.
"""

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<raw>     (?:u8|[uUL])?R"(?P<mark>[^(\s"]*)\(.*?\)(?P=mark)" )
  | (?P<string>  "(?:\\.|[^"\\\n])*" )
  | (?P<number>  \b\d(?:'?[\w.])* )
  | (?P<char>    '(?:\\.|[^'\\\n])+' )
    """, re.VERBOSE | re.DOTALL)
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]')
_NOT_NEWLINE = re.compile(r"[^\n]")
_ACCESS = re.compile(r"^\s*(?:public|private|protected)\s*:(?!:)")
_DECORATION = re.compile(
    r"^\s*(?:template\s*<[^{};]*?>\s*(?=[a-z])|\[\[.*?\]\]|alignas\s*\([^)]*\)"
    r"|(?:typedef|static|inline|constexpr|const)\b)")
_TYPE_HEAD = re.compile(r"^\s*(?:class|struct|union|enum)\b")


def _blank(text):
    return _NOT_NEWLINE.sub(" ", text)


@lru_cache(maxsize=None)
def without_comments(text):
    return _TOKEN.sub(lambda m: _blank(m[0]) if m.lastgroup == "comment" else m[0], text)


@lru_cache(maxsize=None)
def code_only(text):
    """Comments and the content of literals blanked; offsets and line numbers stay true."""

    def replace(match):
        return match[0] if match["number"] else _blank(match[0])

    return _TOKEN.sub(replace, text)


def includes(text):
    """Yields (line, name, quoted) of each #include."""
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        match = _INCLUDE.match(line)
        if match:
            yield number, match[2], match[1] == '"'


class UnbalancedBraces(Exception):
    pass


def _matching_brace(code, start):
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    raise UnbalancedBraces


def _kind(head):
    """What the brace after `head` opens: "scope", "function" or "value"."""
    while match := (_ACCESS.match(head) or _DECORATION.match(head)):
        head = head[match.end():]
    if re.match(r"\s*(?:namespace\b|extern\b[^(]*$)", head):
        return "scope"
    bare = head.rstrip()
    if bare.endswith(("=", ",", "(")) or head.count("(") > head.count(")"):
        return "value"
    if _TYPE_HEAD.match(head):
        before_bases = re.split(r"(?<!:):(?!:)", head)[0]
        if "(" not in re.sub(r"alignas\s*\([^)]*\)", "", before_bases):
            return "value" if head.split()[0] == "enum" else "scope"
    return "function" if "(" in head else "value"


def functions(text):
    """Yields (first line, last line, head) of each function body outside other functions."""
    code = _PREPROCESSOR.sub(lambda m: _blank(m[0]), code_only(text))
    mark = re.compile(r"[{};]")
    at = head_begin = depth = 0
    while match := mark.search(code, at):
        at = match.end()
        if match[0] == ";":
            head_begin = at
            continue
        if match[0] == "}":
            depth -= 1
            if depth < 0:
                raise UnbalancedBraces
            head_begin = at
            continue
        head = code[head_begin:match.start()]
        kind = _kind(head)
        if kind == "scope":
            depth += 1
            head_begin = at
            continue
        end = _matching_brace(code, match.start())
        at = end + 1
        if kind == "value":
            continue
        # "Type() : a_{1}, b_{2} { … }": the braces of initialisers belong to one function.
        while (following := code[at:].lstrip()[:1]) in (",", "{") and following:
            end = _matching_brace(code, code.index("{", at))
            at = end + 1
        while access := _ACCESS.match(head):
            head_begin += access.end()
            head = head[access.end():]
        first = head_begin + len(head) - len(head.lstrip())
        yield code.count("\n", 0, first) + 1, code.count("\n", 0, end) + 1, " ".join(head.split())
        head_begin = at
    if depth != 0:
        raise UnbalancedBraces
