"""What an expression comes to, as far as that is known before the deployment: variables, arguments and loops are
followed; of what only Azure knows (a parameter's value, the id of a resource) the expression itself is left over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, product

from tests.infra.bicep_functions import FUNCTIONS, as_text, choices_of, indexed, literal_of, loaded, one_of, relined
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
    Name,
    Object,
    OneOf,
    Operation,
    Property,
    Ternary,
    Text,
)

_MOST_CHOICES = 32
"""Of more combinations of undecided values only so many are looked at."""

type Bound = Mapping[str, Expression]


@dataclass
class Scope:
    """The names of one file, with the arguments it was called with."""

    file: File
    arguments: Bound
    outputs: Mapping[str, Bound] = field(default_factory=dict)
    """Of modules that are already known: symbol of the module, name of the output."""
    _variables: dict[str, Expression] = field(default_factory=dict)

    def resolve(self, value: Expression, bound: Bound = {}) -> Expression:  # noqa: B006 - a Mapping
        """`value` with all that is known put in. `bound`: what the names of loops and lambdas around it stand for."""
        match value:
            case Text():
                return self._text(value, bound)
            case Name(name, _):
                return bound[name] if name in bound else self._named(value)
            case Member():
                return self._member(value, bound)
            case Index(of, index, line):
                return indexed(self.resolve(of, bound), self.resolve(index, bound), line)
            case Call():
                return self._call(value, bound)
            case Object(properties, line):
                return Object(tuple(self._property(each, bound) for each in properties), line)
            case Array(items, line, complete):
                return Array(tuple(self.resolve(each, bound) for each in items), line, complete)
            case Loop(body=body, line=line):
                turns = [self.passes(value, over, bound) for over in choices_of(self.resolve(value.over, bound))]
                arrays = (Array(tuple(self.resolve(body, b) for b in passes), line, whole) for whole, passes in turns)
                return one_of(arrays, line)
            case Ternary(condition, then, otherwise, line):
                match self.resolve(condition, bound):
                    case Constant(bool(told)):
                        return self.resolve(then if told else otherwise, bound)
                return one_of((self.resolve(then, bound), self.resolve(otherwise, bound)), line)
            case Operation():
                return self._operation(value, bound)
            case OneOf(choices, line):
                return one_of((self.resolve(each, bound) for each in choices), line)
            case Constant() | Lambda():
                return value

    def passes(self, loop: Loop, over: Expression, bound: Bound) -> tuple[bool, list[Bound]]:
        """What the loop's names stand for, pass by pass, and whether these are exactly the passes there will be.
        `over`: what it goes over, resolved."""
        if not isinstance(over, Array):
            return False, [{**bound, loop.item: Name(loop.item, loop.line)}]
        whole = over.complete
        passes: list[Bound] = []
        for position, item in enumerate(over.items):
            inner = {**bound, loop.item: item}
            if loop.index is not None:
                inner[loop.index] = Constant(position, loop.line) if over.complete else Name(loop.index, loop.line)
            taken = Constant(True, 0) if loop.condition is None else self.resolve(loop.condition, inner)
            if taken == Constant(False, getattr(taken, "line", 0)):
                continue
            whole = whole and isinstance(taken, Constant)
            passes.append(inner)
        return whole, passes

    def _property(self, each: Property, bound: Bound) -> Property:
        key = self._text(each.key, bound)
        return Property(key, self.resolve(each.value, bound), each.line)

    def _text(self, value: Text, bound: Bound) -> Text:
        parts: list[str | Expression] = []
        for part in value.parts:
            told = part if isinstance(part, str) else self.resolve(part, bound)
            match told:
                case Text(inner):
                    parts += inner
                case Constant(bool(plain)):
                    parts.append("True" if plain else "False")
                case Constant(int(plain)):
                    parts.append(str(plain))
                case _:
                    parts.append(told)
        joined: list[str | Expression] = []
        for piece in parts:
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            else:
                joined.append(piece)
        return Text(tuple(joined), value.line)

    def _named(self, value: Name) -> Expression:
        if value.name in self.arguments:
            return relined(self.arguments[value.name], value.line)
        if value.name not in self._variables:
            variable = next((each for each in self.file.variables if each.name == value.name), None)
            if variable is None:
                return value
            self._variables[value.name] = value  # a variable made of itself stays a name
            self._variables[value.name] = self.resolve(variable.value)
        return self._variables[value.name]

    def _member(self, value: Member, bound: Bound) -> Expression:
        match value.of:
            case Member(Name(module), "outputs") | Member(Index(Name(module)), "outputs"):
                if (told := self.outputs.get(module, {}).get(value.name)) is not None:
                    return relined(told, value.line)
            case Name(symbol) if value.name == "name":
                for resource in self.file.resources:
                    if resource.symbol == symbol and resource.loop is None and (name := resource.body.get("name")):
                        return self.resolve(name)
        of = self.resolve(value.of, bound)
        found = [each.get(value.name) for each in choices_of(of) if isinstance(each, Object)]
        if not found or len(found) < len(choices_of(of)) or not any(found):
            return Member(of, value.name, value.line)
        return one_of((each or Constant(None, value.line) for each in found), value.line)

    def _operation(self, value: Operation, bound: Bound) -> Expression:
        operands = tuple(self.resolve(each, bound) for each in value.operands)
        first, last = operands[0], operands[-1]
        match value.operator, first, last:
            case "!", Constant(bool(told)), _:
                return Constant(not told, value.line)
            case "&&", Constant(bool(told)), _:
                return last if told else first
            case "||", Constant(bool(told)), _:
                return first if told else last
            case "??", Constant(None), _:
                return last
            case "??", (Text() | Object() | Array()), _:
                return first
            case "??", _, _:
                return one_of(operands, value.line)
            case (("==" | "!="), (Text(literal=str(a)) | Constant(a)), (Text(literal=str(b)) | Constant(b))):
                return Constant((a == b) == (value.operator == "=="), value.line)
        return Operation(value.operator, operands, value.line)

    def _call(self, value: Call, bound: Bound) -> Expression:
        arguments = tuple(self.resolve(each, bound) for each in value.arguments)
        return self._called(Call(value.function, arguments, value.line), bound)

    def _called(self, call: Call, bound: Bound) -> Expression:
        """A function of a lambda, or of a known file; otherwise one of FUNCTIONS; otherwise the call is left over.
        The arguments are resolved."""
        name, arguments, line = call.function.name, call.arguments, call.line
        if arguments and isinstance(arguments[0], OneOf):
            calls = (Call(call.function, (first, *arguments[1:]), line) for first in arguments[0].choices)
            return one_of((self._called(each, bound) for each in calls), line)
        match name, arguments:
            case (("loadTextContent" | "loadJsonContent" | "loadYamlContent"), (Text(literal=str(path)), *_)):
                return loaded(name, self.file.path.parent / path, line) or call
            case "map", (Array(items, _, complete), Lambda() as each):
                return Array(tuple(self._applied(each, item, bound) for item in items), line, complete)
            case "filter", (Array(items, _, complete), Lambda() as each):
                told = [(item, literal_of(self._applied(each, item, bound))) for item in items]
                known = complete and all(isinstance(kept, bool) for _, kept in told)
                return Array(tuple(item for item, kept in told if kept is not False), line, known)
            case "toObject", (Array(items, _, _), Lambda() as key, *values):
                made = values[0] if values and isinstance(values[0], Lambda) else None
                pairs = [(self._applied(key, i, bound), self._applied(made, i, bound) if made else i) for i in items]
                return Object(tuple(Property(as_text(k), v, line) for k, v in pairs), line)
            case "map" | "filter" | "toObject", (_, Lambda() as key, *values):  # over what is not known
                unknown: Expression = Name(key.names[0], line)
                inside = self._applied(key, unknown, bound)
                if name == "filter":
                    return Array((unknown,), line, complete=False)
                if name == "map":
                    return Array((inside,), line, complete=False)
                made = values[0] if values and isinstance(values[0], Lambda) else None
                worth = self._applied(made, unknown, bound) if made else unknown
                return Object((Property(as_text(inside), worth, line),), line)
        known_call = FUNCTIONS.get(name)
        if known_call is None or isinstance(call.function, Member):
            return call
        combinations = islice(product(*(choices_of(each) for each in arguments)), _MOST_CHOICES)
        results = [known_call(each, line) for each in combinations]
        return one_of((each or call for each in results), line) if results else call

    def _applied(self, each: Lambda, item: Expression, bound: Bound) -> Expression:
        return self.resolve(each.body, {**bound, each.names[0]: item})
