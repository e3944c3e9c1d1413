"""A deployment from its root file: every resource that may be made, in the modules as they are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.infra.bicep_expressions import BicepError
from tests.infra.bicep_functions import choices_of, literal_of, one_of
from tests.infra.bicep_language import free_names
from tests.infra.bicep_syntax import Array, Expression, File, Module, Name, Object, Parameter, Resource
from tests.infra.bicep_values import Bound, Scope


@dataclass(frozen=True)
class Placed:
    """A resource as one call of its file makes it: `body` with all put in that is known before the deployment."""

    file: File
    resource: Resource
    body: Object

    @property
    def place(self) -> str:
        return self.file.at(self.resource.line)


@dataclass(frozen=True)
class Deployment:
    resources: tuple[Placed, ...]
    outputs: Bound
    reached: frozenset[Path]
    """Resolved paths of the files it consists of."""

    def of_type(self, type_: str) -> tuple[Placed, ...]:
        """Those that are made, not only referred to."""
        wanted = type_.lower()
        return tuple(p for p in self.resources if p.resource.type.lower() == wanted and not p.resource.existing)


def deployment(root: File, files: Mapping[Path, File], given: Bound | None = None) -> Deployment:
    """`given`: parameters whose value is known; of the others everything possible is looked at. Modules whose file is
    missing are passed over: check_structure reports them. Raises BicepError."""
    return _deployed(root, {p.name: _unknown(p) for p in root.parameters} | dict(given or {}), files, ())


def _unknown(parameter: Parameter) -> Expression:
    """What a parameter can be when nobody has said: one of those allowed, its default or anything else."""
    here: Expression = Name(parameter.name, parameter.line, parameter.type)
    if parameter.allowed:
        return one_of(parameter.allowed, parameter.line)
    return here if parameter.default is None else one_of((parameter.default, here), parameter.line)


def _deployed(file: File, arguments: Bound, files: Mapping[Path, File], above: tuple[Path, ...]) -> Deployment:
    here = file.path.resolve()
    if here in above:
        raise BicepError(f"{file.path}:1: the module calls itself")
    outputs: dict[str, Bound] = {}
    scope = Scope(file, dict(arguments), outputs)
    for parameter in file.parameters:  # a default may be made of parameters before it
        if parameter.name not in arguments:
            default = parameter.default
            told: Expression = Name(parameter.name, parameter.line) if default is None else scope.resolve(default)
            scope.arguments = {**scope.arguments, parameter.name: told}
    resources: list[Placed] = []
    reached = {here}
    for module in _in_order(file):
        callee = files.get((file.path.parent / module.path).resolve())
        if callee is None:
            continue
        for body in _bodies(module, scope):
            given = body.get("params")
            told_it = {e.name: e.value for e in given.properties if e.name} if isinstance(given, Object) else {}
            inner = _deployed(callee, told_it, files, (*above, here))
            resources += inner.resources
            reached |= inner.reached
            known = outputs.setdefault(module.symbol, {})
            outputs[module.symbol] = {n: one_of((known.get(n, v), v), module.line) for n, v in inner.outputs.items()}
    scope = Scope(file, scope.arguments, outputs)
    for resource in file.resources:
        resources += (Placed(file, resource, body) for body in _bodies(resource, scope))
    return Deployment(
        tuple(resources), {each.name: scope.resolve(each.value) for each in file.outputs}, frozenset(reached)
    )


def _bodies(declared: Resource | Module, scope: Scope) -> Iterator[Object]:
    """The body, once for each pass of its loop that is known."""
    turns: list[Bound] = [{}]
    if declared.loop is not None:
        overs = choices_of(scope.resolve(declared.loop.over))
        turns = [bound for over in overs for bound in scope.passes(declared.loop, over, {})[1]]
    elif declared.condition is not None and literal_of(scope.resolve(declared.condition)) is False:
        turns = []
    for bound in turns:
        for body in choices_of(scope.resolve(declared.body, bound)):
            if isinstance(body, Object):
                yield body


def _in_order(file: File) -> list[Module]:
    """Modules before those that use their outputs."""
    ordered: list[Module] = []
    waiting = list(file.modules)
    while waiting:
        ready = [m for m in waiting if not _mentions(m, {each.symbol for each in waiting} - {m.symbol}, file)]
        ordered += ready or waiting
        waiting = [m for m in waiting if ready and m not in ready]
    return ordered


def _mentions(module: Module, symbols: set[str], file: File) -> bool:
    seen: set[str] = set()
    names = {n.name for value in (module.body, module.loop, module.condition) if value for n in free_names(value)}
    while names - seen:
        seen |= names
        names = {n.name for v in file.variables if v.name in seen for n in free_names(v.value)}
    return bool(seen & symbols)


def walk(value: Expression) -> Iterator[Expression]:
    """`value` and every object, item and choice in it."""
    yield value
    match value:
        case Object(properties):
            for each in properties:
                yield from walk(each.value)
        case Array(items):
            for item in items:
                yield from walk(item)
        case _ if len(choices_of(value)) > 1:
            for choice in choices_of(value):
                yield from walk(choice)
