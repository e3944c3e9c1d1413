"""What a query's text says before anybody asks what it means: where it breaks, and which operators it uses."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from duckdb_kql.errors import Diagnostic, KqlSyntaxError
from duckdb_kql.parser import parse

from simulator.kql.errors import QuerySyntaxError

_TOKEN = re.compile(r"\w+|\S")


@dataclass(frozen=True, slots=True)
class Used:
    """A rule of the grammar that a query uses (`JoinOperator`, `LetStatement`, …), with its piece of the query."""

    rule: str
    text: str


def syntax_error(text: str, diagnostics: Sequence[Diagnostic]) -> QuerySyntaxError:
    """The error of a text that does not parse, by what the parser says of it."""
    first = diagnostics[0]
    line, column = first.span.line, first.span.column
    lines = text.split("\n")
    rest = lines[line - 1][column:] if line <= len(lines) else ""
    found = _TOKEN.search(rest)
    return QuerySyntaxError(first.message, line, column, found.group() if found else "<EOF>")


def used(text: str) -> list[Used]:
    """Every rule of the grammar in the query, outermost first. Raises QuerySyntaxError."""
    try:
        tree = parse(text).tree
    except KqlSyntaxError as error:
        raise syntax_error(text, error.diagnostics) from error
    if tree is None:  # a control command (`.show tables`): no query
        raise QuerySyntaxError("a query is expected", 1, 0, ".")
    return list(_rules(tree, text))


def _rules(node: Any, text: str) -> Iterator[Used]:
    start, stop = getattr(node, "start", None), getattr(node, "stop", None)
    if start is not None and stop is not None:
        yield Used(type(node).__name__.removesuffix("Context"), text[start.start : stop.stop + 1])
    for child in getattr(node, "children", None) or ():
        yield from _rules(child, text)
