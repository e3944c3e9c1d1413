"""YAML with line numbers, and only as much of YAML as a configuration needs.

Plain words mean what they mean in YAML 1.2: PyYAML's own rules (1.1) would read `soft_delete: On` as true and
`start: 12:30` as 750.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

type Path = tuple[str | int, ...]

_MOST_CHARACTERS = 500_000
_DEEPEST = 20
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: the path of a field, or a line when there is no field."""

    path: Path
    message: str
    line: int | None = None


@dataclass(slots=True)
class Document:
    """`lines` holds the line (from 1) of each key and item."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Of the field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Document:
    """Never raises for what is in `text`: it is in `problems`."""
    document = Document()
    if len(text) > _MOST_CHARACTERS:
        message = f"{len(text)} characters are too many for a configuration; at most {_MOST_CHARACTERS} are read"
        document.problems.append(Problem((), message))
        return document
    try:
        if (unwanted := _unwanted(text)) is not None:
            document.problems.append(unwanted)
            return document
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.problems.append(Problem((), _said(error), mark.line + 1 if mark else None))
    except yaml.YAMLError as error:
        document.problems.append(Problem((), f"cannot be read as YAML: {str(error).splitlines()[0]}"))
    else:
        document.value = _value(node, (), document) if node is not None else None
    return document


def _unwanted(text: str) -> Problem | None:
    """What is refused before anything is built from it: a few aliases can stand for gigabytes."""
    depth = documents = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Problem(
                (),
                "anchors and aliases are not read; put a text that begins with * or & in quotes, else write it out",
                line,
            )
        if tag := getattr(event, "tag", None):
            return Problem((), f"the tag {tag[:60]} is not read; remove it", line)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                return Problem((), "a second document starts here; keep one", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                return Problem((), f"nested more than {_DEEPEST} deep; no setting lies so deep", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _said(error: yaml.MarkedYAMLError) -> str:
    problem, doing = error.problem or "not YAML", error.context or ""
    if "\\t" in problem:
        return f"cannot be read as YAML: {problem}; indent with spaces, never with tabs"
    if "alias" in doing or "anchor" in doing:
        return f"cannot be read as YAML: {problem}; put a text that begins with * or & in quotes"
    return f"cannot be read as YAML: {problem}; check indentation, colons and quotes"


def _value(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, _line(node))
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                document.problems.append(Problem(path, "a name must be one word, not a list or mapping", line))
                continue
            inner = (*path, key.value)
            if key.value in mapping:
                message = f"given twice, first in line {document.lines[inner]}; keep one"
                document.problems.append(Problem(inner, message, line))
                continue
            document.lines[inner] = line
            mapping[key.value] = _value(value, inner, document)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, number), document) for number, item in enumerate(node.value)]
    return _scalar(str(node.value), plain=getattr(node, "style", None) is None)


def _scalar(text: str, *, plain: bool) -> Any:
    if not plain:  # quoted or a block: always text
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(marked: yaml.Node | yaml.Event) -> int:
    return marked.start_mark.line + 1 if marked.start_mark is not None else 1
