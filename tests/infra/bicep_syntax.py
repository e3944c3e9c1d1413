"""What a Bicep file is made of: declarations and expressions, as frozen dataclasses. `line` counts from 1."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Text:
    """A string: literal pieces and, between them, what is interpolated."""

    parts: "tuple[str | Expression, ...]"
    line: int

    @property
    def literal(self) -> str | None:
        """The whole string, None when a part of it is only known at deployment."""
        return "".join(part for part in self.parts if isinstance(part, str)) if self.is_literal else None

    @property
    def is_literal(self) -> bool:
        return all(isinstance(part, str) for part in self.parts)

    @property
    def pattern(self) -> str:
        """The string with `{}` where something is interpolated."""
        return "".join(part if isinstance(part, str) else "{}" for part in self.parts)


@dataclass(frozen=True)
class Constant:
    """A number, true, false or null."""

    value: int | float | bool | None
    line: int


@dataclass(frozen=True)
class Name:
    name: str
    line: int
    kind: str = ""
    """In resolved expressions, of a parameter of the root file: its type."""


@dataclass(frozen=True)
class Member:
    """`of.name`, `of.?name` and `of::name`."""

    of: "Expression"
    name: str
    line: int


@dataclass(frozen=True)
class Index:
    of: "Expression"
    index: "Expression"
    line: int


@dataclass(frozen=True)
class Call:
    """`function(arguments)`; `function` is a Member in `storage.listKeys()` and `az.environment()`."""

    function: "Name | Member"
    arguments: "tuple[Expression, ...]"
    line: int


@dataclass(frozen=True)
class Lambda:
    names: tuple[str, ...]
    body: "Expression"
    line: int


@dataclass(frozen=True)
class Property:
    key: Text
    value: "Expression"
    line: int

    @property
    def name(self) -> str | None:
        """None when the key is only known at deployment."""
        return self.key.literal


@dataclass(frozen=True)
class Object:
    properties: tuple[Property, ...]
    line: int

    def get(self, name: str) -> "Expression | None":
        """Names of properties are compared exactly, as Bicep does."""
        return next((each.value for each in self.properties if each.name == name), None)


@dataclass(frozen=True)
class Array:
    items: "tuple[Expression, ...]"
    line: int
    complete: bool = True
    """False: what an item looks like is known, how many there are is not."""


@dataclass(frozen=True)
class Loop:
    """`[for (item, index) in over: if (condition) body]`"""

    item: str
    index: str | None
    over: "Expression"
    condition: "Expression | None"
    body: "Expression"
    line: int


@dataclass(frozen=True)
class Ternary:
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    line: int


@dataclass(frozen=True)
class Operation:
    operator: str
    operands: "tuple[Expression, ...]"
    line: int


@dataclass(frozen=True)
class OneOf:
    """Only in resolved expressions: which of these it is, the deployment decides."""

    choices: "tuple[Expression, ...]"
    line: int


type Expression = (
    Text | Constant | Name | Member | Index | Call | Lambda | Object | Array | Loop | Ternary | Operation | OneOf
)


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    """As written; empty for a type that only the default tells."""
    allowed: tuple[Expression, ...]
    """The only values it takes; empty: any."""
    default: Expression | None
    nullable: bool
    description: str | None
    line: int

    @property
    def is_required(self) -> bool:
        return self.default is None and not self.nullable


@dataclass(frozen=True)
class Variable:
    name: str
    value: Expression
    line: int


@dataclass(frozen=True)
class Resource:
    symbol: str
    type: str
    """Whole, also of a nested resource."""
    api_version: str
    existing: bool
    parent: str | None
    """Symbol of the resource it is nested in."""
    loop: Loop | None
    condition: Expression | None
    body: Object
    line: int


@dataclass(frozen=True)
class Module:
    symbol: str
    path: str
    loop: Loop | None
    condition: Expression | None
    body: Object
    line: int


@dataclass(frozen=True)
class Output:
    name: str
    type: str
    value: Expression
    description: str | None
    line: int


@dataclass(frozen=True)
class File:
    """One .bicep file. `path` is as it was asked for."""

    path: Path
    scope: str
    parameters: tuple[Parameter, ...]
    variables: tuple[Variable, ...]
    resources: tuple[Resource, ...]
    modules: tuple[Module, ...]
    outputs: tuple[Output, ...]
    references: tuple[Name, ...]
    """Every name of the file's outermost scope that is used somewhere, once for each use."""

    def at(self, line: int) -> str:
        return f"{self.path}:{line}"
