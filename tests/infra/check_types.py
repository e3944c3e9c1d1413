"""Every resource against Microsoft's own types: what Azure would refuse after minutes is refused here in seconds."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.infra.bicep_deployment import Placed
from tests.infra.bicep_functions import choices_of
from tests.infra.bicep_kinds import base_kind
from tests.infra.bicep_syntax import Array, Call, Constant, Expression, Name, Object, Operation, Text
from tests.infra.bicep_types import ResourceType, resource_types

_OF_BICEP = frozenset({"parent", "scope", "dependsOn"})
"""What a resource's body holds for Bicep, not for Azure."""

_PRIMITIVES = frozenset({"string", "int", "bool", "any", "object", "null"})

OTHER_API_VERSIONS: Mapping[tuple[str, str], str] = {}
"""Type and api-version that are not those of the server, with the reason."""

OTHER_VALUES: Mapping[tuple[str, str], str] = {}
"""Property path and value that Azure takes although the type does not list it, with the reason."""


def type_complaints(resources: Iterable[Placed]) -> list[str]:
    """`path:line: what is wrong`. Raises TypesUnavailableError."""
    placed = list(resources)
    types = resource_types(each.resource.type for each in placed)
    found = [said for each in placed for said in _resource(each, types.get(each.resource.type.lower()))]
    return list(dict.fromkeys(found))


def _resource(placed: Placed, type_: ResourceType | None) -> Iterator[str]:
    resource = placed.resource
    if type_ is None:
        yield f"{placed.place}: there is no resource type {resource.type}"
        return
    if type_.name != resource.type:
        yield f"{placed.place}: {resource.type} is spelt {type_.name}"
    known = (resource.type, resource.api_version) in OTHER_API_VERSIONS
    if resource.api_version != type_.api_version and not known:
        yield f"{placed.place}: api-version {resource.api_version} of {resource.type} is not {type_.api_version}"
    yield from _scope(placed, type_)
    own = Object(tuple(p for p in placed.body.properties if p.name not in _OF_BICEP), placed.body.line)
    check = _Check(placed, type_)
    if resource.existing:
        yield from (
            check.says(each.line, f"`{each.name}` of an existing resource cannot be set")
            for each in own.properties
            if each.name != "name"
        )
    else:
        yield from check.object(own, type_.body, "")


def _scope(placed: Placed, type_: ResourceType) -> Iterator[str]:
    resource, scope = placed.resource, placed.file.scope
    if resource.existing or resource.parent or placed.body.get("scope") or placed.body.get("parent"):
        return
    here = scope[0].upper() + scope[1:]
    if not type_.writable_scopes & {here, "AllExceptExtension", "Unknown", "All"}:
        allowed = " or ".join(sorted(type_.writable_scopes))
        yield f"{placed.place}: {resource.type} is deployed to {allowed}, this file to {here}"


@dataclass(frozen=True)
class _Check:
    placed: Placed
    type: ResourceType

    def says(self, line: int, text: str) -> str:
        return f"{self.placed.file.at(line)}: {self.placed.resource.type}: {text}"

    def object(self, value: Object, told: Mapping[str, Any], path: str) -> Iterator[str]:
        told, line, wrong = self._body(value, told)
        if wrong:
            yield self.says(line, f"{path or 'the resource'}: {wrong}")
            return
        known = {each["name"]: each for each in told["properties"]}
        other = told.get("additionalPropertiesType")
        for each in value.properties:
            where = f"{path}.{each.name or each.key.pattern}".lstrip(".")
            told_of = known.get(each.name or "")
            if told_of is None and other:
                yield from self.value(each.value, other, where, {})
            elif told_of is None:
                near = next((n for n in known if each.name and n.lower() == each.name.lower()), None)
                said = f", but `{near}`" if near else ""
                yield self.says(each.line, f"there is no property `{where}`{said}")
            elif "ReadOnly" in told_of.get("flags", ""):
                yield self.says(each.line, f"`{where}` is read-only")
            else:
                yield from self.value(each.value, told_of["type"], where, told_of)
        given = {each.name for each in value.properties}
        for name, told_of in known.items():
            if "Required" in told_of.get("flags", "") and name not in given and not self._is_implied(name, path):
                yield self.says(value.line, f"`{f'{path}.{name}'.lstrip('.')}` is required")

    def _is_implied(self, name: str, path: str) -> bool:
        return not path and name == "name" and self.placed.resource.existing

    def _body(self, value: Object, told: Mapping[str, Any]) -> tuple[Mapping[str, Any], int, str]:
        """The object that a discriminated one is, by its discriminator; or the line of what is wrong, and what."""
        if told["$type"] != "DiscriminatedObject":
            return told, value.line, ""
        key = told["discriminator"]
        given = value.get(key)
        if given is None:
            return told, value.line, f"`{key}`, which tells its kind, is required"
        name = given.literal if isinstance(given, Text) else None
        elements = {next(p["type"] for p in e["properties"] if p["name"] == key): e for e in told["elements"]}
        if name not in elements:
            return told, given.line, f"`{key}` is one of {', '.join(sorted(elements))}"
        element = elements[name]
        return {**element, "properties": [*told["baseProperties"], *element["properties"]]}, value.line, ""

    def value(self, value: Expression, type_: str, path: str, told: Mapping[str, Any]) -> Iterator[str]:
        for each in choices_of(value):
            yield from self._value(each, type_, path, told)

    def _value(self, value: Expression, type_: str, path: str, told: Mapping[str, Any]) -> Iterator[str]:
        if type_.endswith("[]"):
            if isinstance(value, Array):
                for item in value.items:
                    yield from self.value(item, type_.removesuffix("[]"), f"{path}[]", {})
            elif (
                isinstance(value, Text | Object)
                or (isinstance(value, Constant) and value.value is not None)
                or (isinstance(value, Name) and base_kind(value.kind) not in {"", "array"})
            ):
                yield self.says(value.line, f"`{path}` is a list")
            return
        kinds = [each.strip() for each in type_.split(" | ")]
        # a value that is listed may have the name of an object
        objects = [self.type.objects[type_]] if type_ in self.type.objects else []
        if "any" in kinds:
            return
        match value:
            case Object():
                if objects:
                    yield from self.object(value, objects[0], path)
                elif "object" not in kinds:
                    yield self.says(value.line, f"`{path}` is no object, but {type_}")
            case Array():
                yield self.says(value.line, f"`{path}` is no list, but {type_}")
            case Constant(None):
                if "Required" in told.get("flags", ""):
                    yield self.says(value.line, f"`{path}` is required, null is not enough")
            case Constant(bool(plain)):
                if "bool" not in kinds and str(plain).lower() not in kinds:
                    yield self.says(value.line, f"`{path}` is not true or false, but {type_}")
            case Constant(number) if number is not None:
                if "int" not in kinds and str(number) not in kinds:
                    yield self.says(value.line, f"`{path}` is no number, but {type_}")
                yield from self._limits(value.line, number, path, told)
            case Text():
                yield from self._text(value, kinds, path, told)
            case Name(kind=kind) if (given := base_kind(kind)) and given not in _taken(kinds, objects):
                yield self.says(value.line, f"`{path}` is of type {given}, but {type_}")
            case Operation("!" | "==" | "!=" | "&&" | "||") if "bool" not in kinds:
                yield self.says(value.line, f"`{path}` is true or false, but {type_}")
            case _ if any(each.get("properties") or each["$type"] == "DiscriminatedObject" for each in objects):
                yield self.says(value.line, f"`{path}` is only known at deployment: its properties are not checked")

    def _text(self, value: Text, kinds: list[str], path: str, told: Mapping[str, Any]) -> Iterator[str]:
        listed = [each for each in kinds if each not in _PRIMITIVES and (kinds[1:] or each not in self.type.objects)]
        text = value.literal
        if not listed:
            if "string" not in kinds:
                yield self.says(value.line, f"`{path}` is no text, but {' | '.join(kinds)}")
            elif (specimen := _specimen(value)) is not None:
                yield from self._limits(value.line, len(specimen), path, told)
                pattern = re.search(r"pattern: (.*)", told.get("modifiers", ""))
                if pattern and not re.search(pattern[1], specimen):
                    yield self.says(value.line, f"`{path}`, for example {specimen}, is not like {pattern[1]}")
        elif (
            text is not None
            and text.replace(" ", "") not in {each.replace(" ", "") for each in listed}
            and (path, text) not in OTHER_VALUES
        ):
            yield self.says(value.line, f"`{path}` is not '{text}', but one of {', '.join(listed)}")

    def _limits(self, line: int, number: float, path: str, told: Mapping[str, Any]) -> Iterator[str]:
        limits = dict(re.findall(r"(min|max)(?:Value|Length): (-?\d+)", told.get("modifiers", "")))
        if number < float(limits.get("min", number)) or number > float(limits.get("max", number)):
            yield self.says(line, f"`{path}` ({number}) is outside {told['modifiers']}")


def _specimen(value: Text) -> str | None:
    """The text with thirteen letters for each uniqueString(); None when more of it is unknown."""
    pieces = []
    for part in value.parts:
        if isinstance(part, str):
            pieces.append(part)
        elif isinstance(part, Call) and part.function.name == "uniqueString":
            pieces.append("abcdefghijklm")
        else:
            return None
    return "".join(pieces)


def _taken(kinds: list[str], objects: list[Mapping[str, Any]]) -> set[str]:
    """The kinds of values that a type takes; one that is listed is a string."""
    plain = {each if each in _PRIMITIVES else "string" for each in kinds if not objects}
    return plain | ({"object"} if objects else set())
