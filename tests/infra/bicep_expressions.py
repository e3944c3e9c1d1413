"""Reads Bicep expressions from tree-sitter's nodes, and refuses what it does not understand."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

from tree_sitter import Node

from tests.infra.bicep_syntax import (
    Array,
    Call,
    Constant,
    Expression,
    Index,
    Lambda,
    Loop,
    Member,
    Name,
    Object,
    Operation,
    Property,
    Ternary,
    Text,
)

_ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\$": "$"}
_COMMENTS = frozenset({"comment", "diagnostic_comment"})


class BicepError(Exception):
    """A file is no Bicep, or uses more of the language than is understood here. Begins with `path:line:`."""


def all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from all_nodes(child)


def unreadable(node: Node, why: str) -> BicepError:
    return BicepError(f"{line_of(node)}: {why} at `{source(node).strip().split('\n')[0][:60]}`")


def line_of(node: Node) -> int:
    return node.start_point[0] + 1


def source(node: Node) -> str:
    return (node.text or b"").decode()


def children(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type not in _COMMENTS]


def field(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    if found is None:
        raise unreadable(node, f"no {name}")
    return found


def expression(node: Node) -> Expression:
    """Raises BicepError for what is not understood."""
    reader = _READERS.get(node.type)
    if reader is None:
        raise unreadable(node, f"`{node.type}` is not understood by these checks,")
    return reader(node)


def _text_of(node: Node) -> Text:
    """From the source: the grammar loses blanks before an interpolation, and has no node for `\\$`."""
    whole = node.text or b""
    quote = 3 if whole.startswith(b"'''") else 1
    parts: list[str | Expression] = []
    at = quote
    for child in children(node):
        if child.type == "string_content":
            continue
        start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
        if child.type == "interpolation":
            start = whole.index(b"${", start)
        parts += _piece(whole[at:start], quote)
        at = end
        if child.type == "interpolation":
            parts.append(expression(children(child)[0]))
        elif child.type == "escape_sequence" and source(child) in _ESCAPES:
            parts.append(_ESCAPES[source(child)])
        else:
            raise unreadable(child, f"`{child.type}` in a string")
    parts += _piece(whole[at:-quote], quote)
    if quote > 1 and parts and isinstance(parts[0], str):
        parts[0] = parts[0].removeprefix("\r").removeprefix("\n")
    return Text(tuple(parts), line_of(node))


def _piece(raw: bytes, quote: int) -> list[str]:
    text = raw.decode() if quote > 1 else raw.decode().replace("\\$", "$")
    return [text] if text else []


def _number(node: Node) -> Constant:
    return Constant(int(source(node)), line_of(node))


def _separated(node: Node) -> None:
    """The grammar lets `{ a: 1 b: 2 }` pass; Bicep wants a comma or a new line."""
    whole, before = node.text or b"", None
    for child in children(node):
        if before is not None and before.end_byte < child.start_byte:
            between = whole[before.end_byte - node.start_byte : child.start_byte - node.start_byte]
            if not re.search(rb"[,\n]", between):
                raise unreadable(child, "no comma or new line")
        before = child


def _together(*nodes: Node) -> None:
    """Bicep ends an expression at the end of the line, unless a bracket is open."""
    for before, after in pairwise(nodes):
        if before.end_point[0] != after.start_point[0]:
            raise unreadable(after, "a new line within an expression,")


def _object(node: Node) -> Object:
    _separated(node)
    properties = []
    for child in children(node):
        if child.type != "object_property":
            raise unreadable(child, f"`{child.type}` in an object")
        key, *value = children(child)
        if key.type == "resource_declaration":
            continue  # a nested resource: read as one of its own
        if len(value) != 1:
            raise unreadable(child, "no property")
        _together(key, value[0])
        name = _text_of(key) if key.type == "string" else Text((source(key),), line_of(key))
        properties.append(Property(name, expression(value[0]), line_of(child)))
    return Object(tuple(properties), line_of(node))


def _array(node: Node) -> Array:
    """The grammar reads `[f().id]` as two items, `f` and `().id`; what has nothing before it goes on with the last."""
    _separated(node)
    items: list[Expression] = []
    end = -1
    for child in children(node):
        if child.start_byte == end:
            items.append(_going_on(items.pop(), child))
        else:
            items.append(expression(child))
        end = child.end_byte
    return Array(tuple(items), line_of(node))


def _going_on(before: Expression, node: Node) -> Expression:
    """`before` and the brackets, members and operators that follow it."""
    line = line_of(node)
    match node.type:
        case "parenthesized_expression" if isinstance(before, Name | Member):
            return Call(before, tuple(map(expression, children(node))), line)
        case "array":
            return Index(before, expression(children(node)[0]), line)
        case "member_expression" | "resource_expression":
            return Member(_going_on(before, children(node)[0]), source(children(node)[-1]), line)
        case "subscript_expression":
            return Index(_going_on(before, field(node, "object")), expression(field(node, "index")), line)
        case "call_expression":
            function = _going_on(before, field(node, "function"))
            if isinstance(function, Member):
                return Call(function, tuple(map(expression, children(field(node, "arguments")))), line)
        case "binary_expression":
            left, right = children(node)
            return Operation(source(field(node, "operator")), (_going_on(before, left), expression(right)), line)
        case "ternary_expression":
            condition, then, otherwise = children(node)
            return Ternary(_going_on(before, condition), expression(then), expression(otherwise), line)
    raise unreadable(node, "an item of an array that is not understood by these checks,")


def _loop(node: Node) -> Loop:
    parameters = node.child_by_field_name("initializer")
    item, index = (source(parameters), None) if parameters is not None else ("", None)
    rest = [child for child in children(node) if child.type != "for_loop_parameters" and child != parameters]
    for child in children(node):
        if child.type == "for_loop_parameters":
            item, index = (source(each) for each in children(child))
    body = field(node, "body")
    over = next(child for child in rest if child != body)
    condition = None
    if body.type == "if_statement":
        told, body = children(body)
        condition = expression(told)
    return Loop(item, index, expression(over), condition, expression(body), line_of(node))


def _after(inner: Expression, wrap: Callable[[Expression], Expression]) -> Expression:
    """The grammar reads `x => x.a` as `(x => x).a`: what follows belongs to the lambda's body."""
    return Lambda(inner.names, _after(inner.body, wrap), inner.line) if isinstance(inner, Lambda) else wrap(inner)


def _member(node: Node) -> Expression:
    names = [child for child in children(node) if child.type in {"property_identifier", "identifier"}]
    line, inner = line_of(node), expression(children(node)[0])
    if len(children(node)) == 1:  # `of!`: not null
        return inner
    return _after(inner, lambda of: Member(of, source(names[-1]), line))


def _index(node: Node) -> Expression:
    index, line = expression(field(node, "index")), line_of(node)
    return _after(expression(field(node, "object")), lambda of: Index(of, index, line))


def _call(node: Node) -> Expression:
    arguments = tuple(expression(each) for each in children(field(node, "arguments")))
    line = line_of(node)

    def call(function: Expression) -> Expression:
        if not isinstance(function, Name | Member):
            raise unreadable(node, "a call of what is no name,")
        return Call(function, arguments, line)

    return _after(expression(field(node, "function")), call)


def _operation(node: Node) -> Expression:
    operands = children(node)
    _together(*node.children)
    operator = source(field(node, "operator"))
    first, rest, line = expression(operands[0]), tuple(map(expression, operands[1:])), line_of(node)
    return _after(first, lambda left: Operation(operator, (left, *rest), line))


def _ternary(node: Node) -> Expression:
    _together(*node.children)
    then, otherwise = (expression(field(node, name)) for name in ("consequence", "alternative"))
    line = line_of(node)
    return _after(expression(field(node, "condition")), lambda told: Ternary(told, then, otherwise, line))


def _lambda(node: Node) -> Lambda:
    names, body = children(node)[:-1], children(node)[-1]
    listed = children(names[0]) if len(names) == 1 and names[0].type != "identifier" else names
    return Lambda(tuple(source(each) for each in listed), expression(body), line_of(node))


def _constant(value: bool | None, node: Node) -> Constant:
    return Constant(value, line_of(node))


_READERS: dict[str, Callable[[Node], Expression]] = {
    "string": _text_of,
    "number": _number,
    "boolean": lambda node: _constant(source(node) == "true", node),
    "null": partial(_constant, None),
    "identifier": lambda node: Name(source(node), line_of(node)),
    "object": _object,
    "array": _array,
    "for_statement": _loop,
    "member_expression": _member,
    "resource_expression": _member,
    "subscript_expression": _index,
    "call_expression": _call,
    "unary_expression": _operation,
    "binary_expression": _operation,
    "ternary_expression": _ternary,
    "lambda_expression": _lambda,
    "parenthesized_expression": lambda node: expression(children(node)[0]),
}
