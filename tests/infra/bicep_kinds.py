"""Of what kind an expression is (string, int, bool, object, array), as far as that can be told."""

from tests.infra.bicep_syntax import (
    Array,
    Call,
    Constant,
    Expression,
    File,
    Index,
    Loop,
    Member,
    Name,
    Object,
    Operation,
    Ternary,
    Text,
)

_RESULTS = {
    "array": "array concat filter flatten map objectKeys range items sort split",
    "bool": "bool contains empty endsWith startsWith",
    "int": "dateTimeToEpoch indexOf int lastIndexOf length",
    "object": "deployment environment groupBy mapValues resourceGroup subscription tenant toObject managementGroup",
    "string": (
        "base64 base64ToString dateTimeAdd extensionResourceId format guid join loadTextContent newGuid padLeft replace"
        " resourceId string subscriptionResourceId substring tenantResourceId toLower toUpper trim uniqueString uri"
        " uriComponent utcNow managementGroupResourceId"
    ),
}
_KIND_OF_CALL = {name: kind for kind, names in _RESULTS.items() for name in names.split()}
_KINDS = frozenset({"string", "int", "bool", "object", "array"})


def base_kind(type_: str) -> str:
    """Of a type as it is written; empty when it is none of the five."""
    plain = type_.rstrip("?")
    if plain.endswith("]"):
        return "array"
    if plain.startswith("{"):
        return "object"
    if plain.startswith("'"):
        return "string"
    return plain if plain in _KINDS else ""


def kind_of(value: Expression, file: File, seen: frozenset[str] = frozenset()) -> str:
    """Empty when it cannot be told: what a loop or a lambda binds, what Azure answers, null."""
    match value:
        case Text():
            return "string"
        case Constant(bool()):
            return "bool"
        case Constant(int()):
            return "int"
        case Object():
            return "object"
        case Array() | Loop():
            return "array"
        case Operation("??", (first, second)):
            kinds = {kind_of(first, file, seen), kind_of(second, file, seen)} - {""}
            return kinds.pop() if len(kinds) == 1 else ""
        case Operation("+" | "-" | "*" | "/" | "%"):
            return "int"
        case Operation():
            return "bool"
        case Ternary(_, then, otherwise):
            kinds = {kind_of(then, file, seen), kind_of(otherwise, file, seen)}
            return kinds.pop() if len(kinds) == 1 else ""
        case Call(Name(name), arguments):
            if name in {"union", "first", "last", "max", "min", "any", "take", "skip"}:
                return kind_of(arguments[0], file, seen) if name in {"union", "take", "skip"} else ""
            return _KIND_OF_CALL.get(name, "")
        case Name(name):
            return _of_name(name, file, seen)
        case Member(Name(symbol) | Index(Name(symbol)), "id" | "name"):
            return "string" if symbol in {each.symbol for each in file.resources} else ""
    return ""


def _of_name(name: str, file: File, seen: frozenset[str]) -> str:
    for parameter in file.parameters:
        if parameter.name == name:
            return base_kind(parameter.type)
    for variable in file.variables:
        if variable.name == name and name not in seen:
            return kind_of(variable.value, file, seen | {name})
    return ""
