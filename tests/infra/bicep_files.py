"""Reads Bicep with tree-sitter. What it does not understand it refuses: nothing of a file is passed over."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests.infra.bicep_expressions import (
    BicepError,
    all_nodes,
    children,
    expression,
    line_of,
    source,
    unreadable,
)
from tests.infra.bicep_language import free_names
from tests.infra.bicep_syntax import (
    Array,
    Call,
    Expression,
    File,
    Loop,
    Module,
    Object,
    Output,
    Parameter,
    Resource,
    Text,
    Variable,
)


def bicep_files(folder: Path) -> dict[Path, File]:
    """Every .bicep file below `folder`, by its resolved path. Raises BicepError."""
    return {path.resolve(): read_bicep(path) for path in sorted(folder.rglob("*.bicep"))}


def read_bicep(path: Path) -> File:
    """Raises BicepError."""
    return _read(path, path.read_bytes())


@cache
def _read(path: Path, content: bytes) -> File:
    tree = Parser(Language(tree_sitter_bicep.language())).parse(content)
    try:
        _refuse_errors(tree.root_node)
        return _Reading(path).file(tree.root_node)
    except BicepError as error:
        raise BicepError(f"{path}:{error}") from None


def _refuse_errors(root: Node) -> None:
    nodes = list(all_nodes(root))
    for node in nodes:
        if node.type == "string" and not source(node).startswith("'''") and "\n" in source(node):
            raise unreadable(node, "syntax error, a string that is not closed,")
    if wrong := [node for node in nodes if node.is_error or node.is_missing]:
        raise unreadable(min(wrong, key=lambda node: node.end_byte - node.start_byte), "syntax error")


class _Reading:
    """One file in the making."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scope = "resourceGroup"
        self._parameters: list[Parameter] = []
        self._variables: list[Variable] = []
        self._resources: list[Resource] = []
        self._modules: list[Module] = []
        self._outputs: list[Output] = []

    def file(self, root: Node) -> File:
        decorators: tuple[Call, ...] = ()
        for node in children(root):
            if node.type == "decorators":
                decorators = tuple(map(_decorator, children(node)))
                continue
            self._declaration(node, decorators)
            decorators = ()
        values: list[Expression] = [each.default for each in self._parameters if each.default is not None]
        values += [each.value for each in self._variables]
        values += [each.value for each in self._outputs]
        bodies: list[Resource | Module] = [*self._resources, *self._modules]
        for declared in bodies:
            told = (declared.loop,) if declared.loop else (declared.condition, declared.body)
            values += [value for value in told if value is not None]
        return File(
            self._path,
            self._scope,
            tuple(self._parameters),
            tuple(self._variables),
            tuple(self._resources),
            tuple(self._modules),
            tuple(self._outputs),
            tuple(name for value in values for name in free_names(value)),
        )

    def _declaration(self, node: Node, decorators: tuple[Call, ...]) -> None:
        match node.type:
            case "target_scope_assignment":
                self._scope = _string(children(node)[-1])
            case "parameter_declaration":
                self._parameters.append(_parameter(node, decorators))
            case "variable_declaration":
                name, *_, value = children(node)
                self._variables.append(Variable(source(name), expression(value), line_of(node)))
            case "output_declaration":
                name, type_, value = children(node)
                said = _described(decorators)
                self._outputs.append(Output(source(name), source(type_), expression(value), said, line_of(node)))
            case "resource_declaration":
                self._resource(node, None)
            case "module_declaration":
                symbol, path, body = children(node)
                loop, condition, inner = _body(body)
                self._modules.append(Module(source(symbol), _string(path), loop, condition, inner, line_of(node)))
            case _:
                raise unreadable(node, f"`{node.type}` is not understood by these checks,")

    def _resource(self, node: Node, parent: Resource | None) -> None:
        symbol, type_, body = children(node)
        kind, _, version = _string(type_).partition("@")
        if parent is not None:
            kind, version = f"{parent.type}/{kind}", version or parent.api_version
        loop, condition, inner = _body(body)
        existing = any(child.type == "existing" for child in node.children)
        place = parent.symbol if parent else None
        resource = Resource(source(symbol), kind, version, existing, place, loop, condition, inner, line_of(node))
        self._resources.append(resource)
        for child in _nested(body):
            self._resource(child, resource)


def _nested(node: Node) -> Iterator[Node]:
    for child in children(node):
        if child.type == "resource_declaration":
            yield child
        elif child.type in {"object", "object_property", "if_statement", "for_statement"}:
            yield from _nested(child)


def _body(node: Node) -> tuple[Loop | None, Expression | None, Object]:
    if node.type == "for_statement":
        loop = expression(node)
        if isinstance(loop, Loop) and isinstance(loop.body, Object):
            return loop, loop.condition, loop.body
    elif node.type == "if_statement":
        condition, body = children(node)
        told = expression(body)
        if isinstance(told, Object):
            return None, expression(condition), told
    elif isinstance(told := expression(node), Object):
        return None, None, told
    raise unreadable(node, "a body that is no object,")


def _decorator(node: Node) -> Call:
    told = expression(children(node)[0])
    if not isinstance(told, Call):
        raise unreadable(node, "a decorator that is no call,")
    return told


def _decoration(decorators: tuple[Call, ...], name: str) -> Call | None:
    return next((each for each in decorators if each.function.name == name), None)


def _described(decorators: tuple[Call, ...]) -> str | None:
    said = _decoration(decorators, "description")
    return said.arguments[0].literal if said and isinstance(said.arguments[0], Text) else None


def _parameter(node: Node, decorators: tuple[Call, ...]) -> Parameter:
    name, *rest = children(node)
    type_ = next((source(each) for each in rest if each.type == "type"), "")
    default = next((expression(each) for each in rest if each.type != "type"), None)
    allowed: tuple[Expression, ...] = ()
    if (limited := _decoration(decorators, "allowed")) and isinstance(limited.arguments[0], Array):
        allowed = limited.arguments[0].items
    elif "|" in type_:
        texts = [
            each for each in all_nodes(node) if each.type == "string" and each.parent and "type" in each.parent.type
        ]
        allowed = tuple(expression(each) for each in texts)
    return Parameter(source(name), type_, allowed, default, type_.endswith("?"), _described(decorators), line_of(node))


def _string(node: Node) -> str:
    told = expression(node)
    if not isinstance(told, Text) or told.literal is None:
        raise unreadable(node, "no plain string")
    return told.literal
