"""More of what the Bicep compiler refuses: values that are not known when a deployment starts, loops where none may be,
functions out of their scope, and values of the wrong kind. (Documentation: Bicep diagnostics, BCP020 to BCP190.)"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.infra.bicep_deployment import Placed
from tests.infra.bicep_kinds import base_kind, kind_of
from tests.infra.bicep_language import calls_in, expressions_of, free_names, parts_of
from tests.infra.bicep_syntax import (
    Array,
    Call,
    Expression,
    File,
    Index,
    Loop,
    Member,
    Module,
    Name,
    Object,
    Resource,
)
from tests.infra.bicep_types import ResourceType, resource_types

_KNOWN_AT_START = frozenset({"id", "name", "type", "apiVersion"})
"""Of a resource; everything else is read when it has been made."""

SCOPE_FUNCTIONS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "resourceGroup": (
        frozenset({"resourceGroup"}),
        frozenset({"id", "name", "location", "tags", "type", "properties", "managedBy"}),
    ),
    "subscription": (
        frozenset({"resourceGroup", "subscription"}),
        frozenset({"id", "subscriptionId", "tenantId", "displayName"}),
    ),
    "managementGroup": (frozenset({"managementGroup"}), frozenset({"id", "name", "type", "properties"})),
    "tenant": (
        frozenset({"resourceGroup", "subscription", "managementGroup", "tenant"}),
        frozenset({"tenantId", "country", "countryCode", "displayName"}),
    ),
    "deployment": (
        frozenset({"resourceGroup", "subscription", "managementGroup", "tenant"}),
        frozenset({"name", "location", "properties"}),
    ),
    "environment": (
        frozenset({"resourceGroup", "subscription", "managementGroup", "tenant"}),
        frozenset({"name", "resourceManager", "portal", "authentication", "suffixes", "graph", "graphAudience"}),
    ),
}
"""Without arguments: in which files they may be called, and what they tell (Bicep functions: scope, deployment)."""


def compiler_complaints(files: Mapping[Path, File]) -> list[str]:
    said: list[str] = []
    for file in files.values():
        said += [*_at_start(file), *_loops(file), *_collections(file), *_scopes(file), *_defaults(file)]
        said += _kinds(file, files)
    return list(dict.fromkeys(said))


def _at_start(file: File) -> Iterator[str]:
    """Names, scopes, conditions and loops must be known before anything is made."""
    declared: list[Resource | Module] = [*file.resources, *file.modules]
    for each in declared:
        needed = {what: each.body.get(what) for what in ("name", "scope", "parent")}
        needed |= {"condition": each.condition, "loop": each.loop.over if each.loop else None}
        for what, value in needed.items():
            if value is not None:
                for late in _late(value, file):
                    place = file.at(late.line)
                    yield f"{place}: the {what} of `{each.symbol}` is not known at the start: `{late.name}`"
        listed = each.body.get("dependsOn")
        for item in listed.items if isinstance(listed, Array) else ():
            symbols = {e.symbol for e in declared}
            if not isinstance(item, Name | Index | Member) or not {n.name for n in free_names(item)} & symbols:
                yield f"{file.at(item.line)}: `{each.symbol}` depends on what is no resource"


def _late(value: Expression, file: File, seen: frozenset[str] = frozenset()) -> Iterator[Member]:
    resources = {each.symbol: each for each in file.resources}
    modules = {each.symbol for each in file.modules}
    match value:
        case Member(Name(symbol) | Index(Name(symbol)), name):
            if (symbol in modules and name == "outputs") or (
                symbol in resources and name not in _KNOWN_AT_START and name not in resources
            ):
                yield value
    if isinstance(value, Name) and value.name not in seen:
        for variable in file.variables:
            if variable.name == value.name:
                yield from _late(variable.value, file, seen | {value.name})
    for part in parts_of(value):
        yield from _late(part, file, seen)


def _loops(file: File) -> Iterator[str]:
    """A loop is the value of a variable or an output, or of a property of a resource or module; nothing around it."""
    for each in file.variables:
        yield from _misplaced(file, each.value.body if isinstance(each.value, Loop) else each.value)
    for output in file.outputs:
        yield from _misplaced(file, output.value.body if isinstance(output.value, Loop) else output.value)
    declared: list[Resource | Module] = [*file.resources, *file.modules]
    for one in declared:
        yield from _in_body(file, one.body)
    for parameter in file.parameters:
        if parameter.default is not None:
            yield from _misplaced(file, parameter.default)


def _in_body(file: File, value: Expression) -> Iterator[str]:
    match value:
        case Object(properties):
            for each in properties:
                inner = each.value.body if isinstance(each.value, Loop) else each.value
                yield from _in_body(file, inner)
        case _:
            yield from _misplaced(file, value)


def _misplaced(file: File, value: Expression) -> Iterator[str]:
    if isinstance(value, Loop):
        yield f"{file.at(value.line)}: a loop cannot stand here"
    for part in parts_of(value):
        yield from _misplaced(file, part)


def _collections(file: File) -> Iterator[str]:
    """What is made in a loop is many: one of them has an index."""
    declared: list[Resource | Module] = [*file.resources, *file.modules]
    many = {each.symbol for each in declared if each.loop is not None}

    def read(value: Expression) -> Iterator[str]:
        if isinstance(value, Member) and isinstance(value.of, Name) and value.of.name in many:
            yield f"{file.at(value.line)}: `{value.of.name}` is made in a loop: say which one"
        for part in parts_of(value):
            yield from read(part)

    for value in expressions_of(file):
        yield from read(value)


def _scopes(file: File) -> Iterator[str]:
    def read(value: Expression) -> Iterator[str]:
        if isinstance(value, Member) and isinstance(value.of, Call) and not value.of.arguments:
            told = SCOPE_FUNCTIONS.get(value.of.function.name)
            if told and value.name not in told[1]:
                yield f"{file.at(value.line)}: `{value.of.function.name}()` has no `{value.name}`"
        for part in parts_of(value):
            yield from read(part)

    for value in expressions_of(file):
        yield from read(value)
        for call in calls_in(value):
            told = SCOPE_FUNCTIONS.get(call.function.name)
            if told and not call.arguments and file.scope not in told[0]:
                yield f"{file.at(call.line)}: `{call.function.name}()` cannot be called in a {file.scope}"
    for resource in file.resources:
        scope = resource.body.get("scope")
        if not resource.existing and isinstance(scope, Call):
            yield f"{file.at(scope.line)}: `{resource.symbol}` lies in another scope: that takes a module"


def _defaults(file: File) -> Iterator[str]:
    names = {each.name for each in file.parameters}
    for each in file.parameters:
        for used in free_names(each.default) if each.default is not None else ():
            if used.name not in names:
                yield f"{file.at(used.line)}: the default of `{each.name}` can be made of parameters only"


def _kinds(file: File, files: Mapping[Path, File]) -> Iterator[str]:
    for parameter in file.parameters:
        given = kind_of(parameter.default, file) if parameter.default is not None else ""
        if given and base_kind(parameter.type) not in {"", given}:
            yield f"{file.at(parameter.line)}: the default of `{parameter.name}` is of type {given}"
    for output in file.outputs:
        given = kind_of(output.value, file)
        if given and base_kind(output.type) not in {"", given}:
            yield f"{file.at(output.line)}: the output `{output.name}` is of type {given}, not {output.type}"
    for module in file.modules:
        callee = files.get((file.path.parent / module.path).resolve())
        arguments = module.body.get("params")
        types = {each.name: each.type for each in callee.parameters} if callee else {}
        for argument in arguments.properties if isinstance(arguments, Object) else ():
            given, wanted = kind_of(argument.value, file), types.get(argument.name or "", "")
            if given and base_kind(wanted) not in {"", given}:
                place = file.at(argument.line)
                yield f"{place}: `{argument.name}` of {module.path} is of type {wanted}, what is given {given}"


def reference_complaints(resources: tuple[Placed, ...], files: Mapping[Path, File]) -> list[str]:
    """Properties that are read of a resource are there, in Microsoft's own types. Raises TypesUnavailableError."""
    types = resource_types(each.resource.type for each in resources)
    said: list[str] = []

    def read(value: Expression, file: File, known: Mapping[str, ResourceType]) -> None:
        symbol, path = _path(value)
        if symbol in known and path and (wrong := _missing(known[symbol], path)):
            said.append(f"{file.at(value.line)}: {known[symbol].name} has no property `{wrong}`")
        for part in parts_of(value):
            read(part, file, known)

    for file in files.values():
        known = {r.symbol: t for r in file.resources if (t := types.get(r.type.lower())) is not None}
        for value in expressions_of(file):
            read(value, file, known)
    return list(dict.fromkeys(said))


def _path(value: Expression) -> tuple[str, list[str]]:
    """`account.properties.primaryEndpoints.blob` is account and the names after it."""
    names: list[str] = []
    while isinstance(value, Member):
        names.insert(0, value.name)
        value = value.of
    if isinstance(value, Index):
        value = value.of
    return (value.name, names) if isinstance(value, Name) else ("", [])


def _missing(type_: ResourceType, path: list[str]) -> str:
    here: Mapping[str, object] | None = type_.body
    for position, name in enumerate(path):
        listed = here.get("properties") if here else None
        if here is None or here.get("additionalPropertiesType") or not isinstance(listed, list):
            return ""
        found = next((each for each in listed if each["name"] == name), None)
        if found is None:
            return ".".join(path[: position + 1])
        here = type_.objects.get(found["type"])
    return ""
