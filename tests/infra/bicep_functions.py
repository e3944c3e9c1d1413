"""Bicep's functions, as far as their arguments are known before the deployment, and small questions to expressions."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tests.infra.bicep_syntax import Array, Constant, Expression, Index, Object, OneOf, Property, Text


def one_of(choices: Iterable[Expression], line: int) -> Expression:
    """Choices of choices become one list without repetitions."""
    flat: list[Expression] = []
    for choice in choices:
        flat += [each for each in (choice.choices if isinstance(choice, OneOf) else (choice,)) if each not in flat]
    return flat[0] if len(flat) == 1 else OneOf(tuple(flat), line)


def choices_of(value: Expression) -> tuple[Expression, ...]:
    return value.choices if isinstance(value, OneOf) else (value,)


def literal_of(value: Expression | None) -> str | int | float | bool | None:
    """The plain value; None for null and for what is not known."""
    match value:
        case Text():
            return value.literal
        case Constant(told):
            return told
    return None


def relined(value: Expression, line: int) -> Expression:
    """What came from another file, as if it were written where it is used: a line belongs to the file one looks at."""
    match value:
        case Object(properties):
            told = (Property(p.key, relined(p.value, line), line) for p in properties)
            return Object(tuple(told), line)
        case Array(items):
            return replace(value, items=tuple(relined(each, line) for each in items), line=line)
        case OneOf(choices):
            return OneOf(tuple(relined(each, line) for each in choices), line)
    return replace(value, line=line)


def as_text(value: Expression) -> Text:
    return value if isinstance(value, Text) else Text((value,), value.line)


def indexed(of: Expression, index: Expression, line: int) -> Expression:
    match of, index:
        case Array(items, _, True), Constant(int(position)) if -1 < position < len(items):
            return items[position]
        case Array(items), _ if items:
            return one_of(items, line)
        case Object(), Text(literal=str(name)) if (found := of.get(name)) is not None:
            return found
    return Index(of, index, line)


def loaded(function: str, path: Path, line: int) -> Expression | None:
    if not path.is_file():
        return None
    text = path.read_text()
    if function == "loadTextContent":
        return Text((text,), line)
    return of_json(json.loads(text) if function == "loadJsonContent" else yaml.safe_load(text), line)


def of_json(value: Any, line: int) -> Expression:
    match value:
        case str():
            return Text((value,), line)
        case dict():
            told = (Property(Text((key,), line), of_json(each, line), line) for key, each in value.items())
            return Object(tuple(told), line)
        case list():
            return Array(tuple(of_json(each, line) for each in value), line)
    return Constant(value, line)


def _union(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    if all(isinstance(each, Array) for each in arguments):
        return _concat(arguments, line)
    if not all(isinstance(each, Object) for each in arguments):
        return None
    merged: dict[str, Property] = {}
    for each in arguments:
        for entry in each.properties if isinstance(each, Object) else ():
            name = entry.name or entry.key.pattern
            before = merged.get(name)
            both = (before.value, entry.value) if before else ()
            inner = _union(both, line) if both and all(isinstance(v, Object) for v in both) else None
            merged[name] = Property(entry.key, inner or entry.value, entry.line)
    return Object(tuple(merged.values()), line)


def _concat(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    arrays = [each for each in arguments if isinstance(each, Array)]
    if len(arrays) != len(arguments):
        return None
    return Array(tuple(i for each in arrays for i in each.items), line, all(each.complete for each in arrays))


def _flatten(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Array(items, _, complete),) if (told := _concat(items, line)) is not None and isinstance(told, Array):
            return Array(told.items, line, complete and told.complete)
    return None


def _empty(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Text(literal=str(text)),):
            return Constant(not text, line)
        case (Text(parts),) if any(isinstance(part, str) and part for part in parts):
            return Constant(False, line)
        case (Array(items, _, True),):
            return Constant(not items, line)
        case (Object(properties),):
            return Constant(not properties, line)
    return None


def _replace(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Text(literal=str(text)), Text(literal=str(old)), new) if old:
            pieces = text.split(old)
            parts: list[str | Expression] = [pieces[0]]
            for piece in pieces[1:]:
                parts += [*(new.parts if isinstance(new, Text) else (new,)), piece]
            return Text(tuple(parts), line)
    return None


def _split(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Text(literal=str(text)), Text(literal=str(by))):
            return Array(tuple(Text((piece,), line) for piece in text.split(by)), line)
    return None


def _items(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Object(properties),):
            key, value = Text(("key",), line), Text(("value",), line)
            return Array(
                tuple(Object((Property(key, p.key, line), Property(value, p.value, line)), line) for p in properties),
                line,
            )
    return None


def _on_text(make: Callable[[str], str]) -> Callable[[tuple[Expression, ...], int], Expression | None]:
    def function(arguments: tuple[Expression, ...], line: int) -> Expression | None:
        match arguments:
            case (Text(literal=str(text)),):
                return Text((make(text),), line)
        return None

    return function


def _json(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Text(literal=str(text)),):
            return of_json(json.loads(text), line)
    return None


def _string(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Constant(bool(told)),):
            return Text((str(told),), line)
        case (Constant(int(told)),):
            return Text((str(told),), line)
    return None


def _join(arguments: tuple[Expression, ...], line: int) -> Expression | None:
    match arguments:
        case (Array(items, _, True), Text(literal=str(by))) if all(isinstance(i, Text) and i.is_literal for i in items):
            return Text((by.join(str(literal_of(each)) for each in items),), line)
    return None


FUNCTIONS: Mapping[str, Callable[[tuple[Expression, ...], int], Expression | None]] = {
    "union": _union,
    "concat": _concat,
    "flatten": _flatten,
    "empty": _empty,
    "replace": _replace,
    "split": _split,
    "items": _items,
    "toLower": _on_text(str.lower),
    "toUpper": _on_text(str.upper),
    "trim": _on_text(str.strip),
    "json": _json,
    "string": _string,
    "join": _join,
}
