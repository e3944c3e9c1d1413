"""The functions that Bicep has (documentation: Bicep functions), and walks over all expressions of a file."""

from collections.abc import Iterator

from tests.infra.bicep_syntax import (
    Array,
    Call,
    Constant,
    Expression,
    File,
    Index,
    Lambda,
    Loop,
    Member,
    Module,
    Name,
    Object,
    OneOf,
    Operation,
    Resource,
    Ternary,
    Text,
)

_FUNCTIONS = """
    any array base64 base64ToJson base64ToString bool buildUri cidrHost cidrSubnet coalesce concat contains
    dataUri dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment empty endsWith environment
    extensionResourceId fail filter first flatten format getSecret groupBy guid indexOf int intersection items join json
    last lastIndexOf length listKeys loadDirectoryFileInfo loadFileAsBase64 loadJsonContent loadTextContent
    loadYamlContent managementGroup managementGroupResourceId map mapValues max min newGuid objectKeys padLeft parseCidr
    parseUri pickZones range reduce reference replace resourceGroup resourceId shallowMerge skip sort split startsWith
    string subscription subscriptionResourceId substring take tenant tenantResourceId toLower toObject toUpper trim
    tryGet union uniqueString uri uriComponent uriComponentToString utcNow
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())


def expressions_of(file: File) -> Iterator[Expression]:
    """The outermost expressions of a file."""
    yield from (each.default for each in file.parameters if each.default is not None)
    yield from (each.value for each in file.variables)
    yield from (each.value for each in file.outputs)
    bodies: list[Resource | Module] = [*file.resources, *file.modules]
    for declared in bodies:
        if declared.loop is not None:
            yield declared.loop
        else:
            yield declared.body
            if declared.condition is not None:
                yield declared.condition


def parts_of(value: Expression) -> Iterator[Expression]:
    """The expressions that `value` is made of, one level down."""
    match value:
        case Text(parts):
            yield from (part for part in parts if not isinstance(part, str))
        case Member(of):
            yield of
        case Index(of, index):
            yield from (of, index)
        case Call(function, arguments):
            yield from (function, *arguments)
        case Lambda(_, body):
            yield body
        case Object(properties):
            for each in properties:
                yield from (each.key, each.value)
        case Array(items) | Operation(_, items) | OneOf(items):
            yield from items
        case Loop(_, _, over, condition, body):
            yield from (over, body) if condition is None else (over, condition, body)
        case Ternary(condition, then, otherwise):
            yield from (condition, then, otherwise)
        case Name() | Constant():
            return


def calls_in(value: Expression) -> Iterator[Call]:
    if isinstance(value, Call):
        yield value
    for part in parts_of(value):
        yield from calls_in(part)


def free_names(value: Expression) -> Iterator[Name]:
    """The names that no loop and no lambda inside `value` has bound. Functions' names are not among them."""
    match value:
        case Name():
            yield value
        case Call(Name(), arguments) | Call(Member(Name("az" | "sys")), arguments):
            yield from (name for each in arguments for name in free_names(each))
        case Call(Member(of), arguments):
            yield from (name for each in (of, *arguments) for name in free_names(each))
        case Lambda(names, body):
            yield from (each for each in free_names(body) if each.name not in names)
        case Loop(item, position, over, condition, body):
            yield from free_names(over)
            inner = (body,) if condition is None else (condition, body)
            yield from (n for each in inner for n in free_names(each) if n.name not in {item, position})
        case _:
            yield from (name for part in parts_of(value) for name in free_names(part))
