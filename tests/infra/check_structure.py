"""What a Bicep compiler would say of the files themselves, and what a reader expects of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.infra.bicep_expressions import BicepError
from tests.infra.bicep_files import read_bicep
from tests.infra.bicep_functions import choices_of
from tests.infra.bicep_language import FUNCTIONS, calls_in, expressions_of, parts_of
from tests.infra.bicep_syntax import (
    Array,
    Call,
    Constant,
    Expression,
    File,
    Index,
    Member,
    Module,
    Name,
    Object,
    Output,
    Parameter,
    Text,
    Variable,
)

_NAMESPACES = frozenset({"az", "sys"})


def syntax_complaints(folder: Path) -> list[str]:
    said = []
    for path in sorted(folder.rglob("*.bicep")):
        try:
            read_bicep(path)
        except BicepError as error:
            said.append(str(error))
    return said


def structure_complaints(files: Mapping[Path, File], roots: Iterable[Path]) -> list[str]:
    """`path:line: what is wrong`. `roots`: the files that are deployed by themselves."""
    said: list[str] = []
    reached: set[Path] = set()
    waiting = [root.resolve() for root in roots]
    while waiting:
        if (path := waiting.pop()) not in reached and path in files:
            reached.add(path)
            waiting += [(files[path].path.parent / module.path).resolve() for module in files[path].modules]
    for path, file in files.items():
        if path not in reached:
            said.append(f"{file.at(1)}: nobody deploys this file")
        said += [*_names(file), *_described(file), *_calls(file), *_parents(file)]
        for module in file.modules:
            said += _module(file, module, files.get((file.path.parent / module.path).resolve()))
    return said


def _names(file: File) -> Iterator[str]:
    declared: list[Parameter | Variable] = [*file.parameters, *file.variables]
    lines = [(each.name, each.line) for each in declared]
    lines += [(each.symbol, each.line) for each in file.resources]
    lines += [(each.symbol, each.line) for each in file.modules]
    names = {name for name, _ in lines}
    for name, line in lines:
        if Counter(each for each, _ in lines)[name] > 1:
            yield f"{file.at(line)}: `{name}` is declared twice"
    for reference in file.references:
        if reference.name not in names | _NAMESPACES:
            yield f"{file.at(reference.line)}: `{reference.name}` is not declared"
    used = {reference.name for reference in file.references}
    for each in declared:
        if each.name not in used:
            yield f"{file.at(each.line)}: `{each.name}` is never used"


def _described(file: File) -> Iterator[str]:
    told: list[Parameter | Output] = [*file.parameters, *file.outputs]
    for each in told:
        if not (each.description or "").strip():
            yield f"{file.at(each.line)}: `{each.name}` has no @description"
    for parameter in file.parameters:
        if parameter.default is not None and parameter.allowed:
            given = {_plain(each) for each in choices_of(parameter.default)}
            if None not in given and not given <= _allowed(parameter):
                yield f"{file.at(parameter.line)}: the default of `{parameter.name}` is not among what is allowed"


def _calls(file: File) -> Iterator[str]:
    for value in expressions_of(file):
        for call in calls_in(value):
            name = call.function.name
            if isinstance(call.function, Name) and name not in FUNCTIONS:
                yield f"{file.at(call.line)}: there is no function `{name}`"
            elif name.startswith("load") and isinstance(call.arguments[0], Text):
                path = call.arguments[0].literal
                if path is None or not (file.path.parent / path).is_file():
                    yield f"{file.at(call.line)}: there is no file {call.arguments[0].pattern}"


def _parents(file: File) -> Iterator[str]:
    by_symbol = {each.symbol: each for each in file.resources}
    for resource in file.resources:
        depth, parent, name = resource.type.count("/") - 1, resource.body.get("parent"), resource.body.get("name")
        if name is None:
            yield f"{file.at(resource.line)}: `{resource.symbol}` has no name"
        symbol = _symbol(parent)
        if symbol is not None and (above := by_symbol.get(symbol)) is not None:
            if above.type.lower() != resource.type.rpartition("/")[0].lower():
                yield f"{file.at(resource.line)}: {above.type} is no parent of {resource.type}"
        elif parent is None and resource.parent is None and depth and isinstance(name, Text):
            slashes = name.pattern.count("/")
            if slashes != depth:
                yield f"{file.at(resource.line)}: `{resource.symbol}` needs a parent, or {depth} slashes in its name"


def _symbol(value: Expression | None) -> str | None:
    match value:
        case Name(name) | Index(Name(name)) | Member(_, name):
            return name
    return None


def _module(file: File, module: Module, callee: File | None) -> Iterator[str]:
    place = file.at(module.line)
    if callee is None:
        yield f"{place}: there is no file {module.path}"
        return
    given = module.body.get("params")
    if given is not None and not isinstance(given, Object):
        yield f"{place}: the parameters of `{module.symbol}` are no object"
        return
    arguments = {each.name: each for each in given.properties} if isinstance(given, Object) else {}
    known = {each.name: each for each in callee.parameters}
    for name, argument in arguments.items():
        if name not in known:
            yield f"{file.at(argument.line)}: {module.path} has no parameter `{name}`"
        elif not _fits(argument.value, known[name].type):
            yield f"{file.at(argument.line)}: `{name}` of {module.path} is of type {known[name].type}"
        elif (plain := _plain(argument.value)) and plain not in (allowed := _allowed(known[name]) or {plain}):
            yield f"{file.at(argument.line)}: `{name}` of {module.path} is one of {', '.join(map(str, allowed))}"
    for name, parameter in known.items():
        if parameter.is_required and name not in arguments:
            yield f"{place}: `{name}` of {module.path} is required"
    outputs = {each.name for each in callee.outputs}
    for value in expressions_of(file):
        for member in _outputs_read(value, module.symbol):
            if member.name not in outputs:
                yield f"{file.at(member.line)}: {module.path} has no output `{member.name}`"
    where = _scope(file, module)
    if where != callee.scope and where is not None:
        yield f"{place}: {module.path} is deployed to a {callee.scope}, `{module.symbol}` calls it in a {where}"


def _scope(file: File, module: Module) -> str | None:
    """The kind of scope a module is called in, None when that is not to be seen."""
    match module.body.get("scope"):
        case None:
            return file.scope
        case Call(Name(name)) if name in {"resourceGroup", "subscription", "managementGroup", "tenant"}:
            return name
        case Name(symbol):
            types = {each.symbol: each.type for each in file.resources}
            return {"Microsoft.Resources/resourceGroups": "resourceGroup"}.get(types.get(symbol, ""))
    return None


def _outputs_read(value: Expression, symbol: str) -> Iterator[Member]:
    match value:
        case Member(Member(Name(name) | Index(Name(name)), "outputs")) if name == symbol:
            yield value
    for part in parts_of(value):
        yield from _outputs_read(part, symbol)


def _plain(value: Expression) -> str | int | float | bool | None:
    return value.literal if isinstance(value, Text) else value.value if isinstance(value, Constant) else None


def _allowed(parameter: Parameter) -> set[str | int | float | bool | None]:
    return {_plain(each) for each in parameter.allowed}


def _fits(value: Expression, type_: str) -> bool:
    """Whether a literal can be of the type; what is no literal fits."""
    wanted = "array" if type_.endswith(("[]", "[]?")) else type_.rstrip("?")
    if wanted not in {"string", "int", "bool", "object", "array"}:
        return True
    match value:
        case Text():
            return wanted == "string"
        case Object():
            return wanted == "object"
        case Array():
            return wanted == "array"
        case Constant(bool()):
            return wanted == "bool"
        case Constant(int()):
            return wanted == "int"
    return True
