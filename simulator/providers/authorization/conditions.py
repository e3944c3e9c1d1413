"""Conditions of role assignments: when what a role gives is given.

The language is the one of https://learn.microsoft.com/azure/role-based-access-control/conditions-format, as far as it
concerns role assignments: `ActionMatches`, `Exists`, comparisons of `@Request[…]` and `@Resource[…]` with the three
attributes of https://learn.microsoft.com/azure/role-based-access-control/conditions-authorization-actions-attributes,
`AND`, `OR`, `NOT` (`&&`, `||`, `!`) and parentheses. What else the language has is refused.

Assumed: a comparison with an attribute that is not there is false, whatever the operator; `AND` beside `OR` without
parentheses is refused (documented as ambiguous), and so is an operator that is not for the attribute's type; names and
keywords have no case."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from simulator.providers.authorization.comparisons import COMPARISONS, QUANTIFIERS
from simulator.providers.authorization.patterns import matches

VERSION = "2.0"
"""The only conditionVersion that is accepted, and the one that is meant when none is said (documented)."""
LONGEST = 8 * 1024
"""Bytes of a condition (documented: 8 KB)."""

ROLE_DEFINITION_ID, PRINCIPAL_ID, PRINCIPAL_TYPE = (
    f"Microsoft.Authorization/roleAssignments:{name}" for name in ("RoleDefinitionId", "PrincipalId", "PrincipalType")
)
_ATTRIBUTES = {name.lower(): name for name in (ROLE_DEFINITION_ID, PRINCIPAL_ID, PRINCIPAL_TYPE)}
_TOKEN = re.compile(
    r"\s*(?:(?P<attribute>@\w+\[[^\]]*\])|(?P<text>'[^']*')|(?P<sign>&&|\|\||[(){},!])|(?P<word>[\w:.-]+))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of one role assignment by attribute name: what the request says of it, and what the one that is
    there has. What is not said is left out."""

    request: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)


UNSAID = Attributes()
"""Of a call that is not about a role assignment."""

Condition = Callable[[str, Attributes], bool]
"""Whether it holds for an action."""
_Operand = Callable[[Attributes], tuple[str, ...]]


class InvalidCondition(ValueError):  # noqa: N818 - what Azure calls it
    """Why a text is not a condition that Azure takes."""


@lru_cache(maxsize=1024)
def parse(text: str) -> Condition:
    """The condition that `text` writes down. Raises InvalidCondition."""
    if len(text.encode()) > LONGEST:
        raise InvalidCondition(f"it is longer than {LONGEST} bytes")
    return _Parser(text).whole()


class _Parser:
    """Recursive descent: a condition is terms under AND or OR."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                raise InvalidCondition(f"'{text[position:].strip()[:20]}' is not understood")
            self._tokens.append(found[0].strip())
            position = found.end()
        self._at = 0

    def whole(self) -> Condition:
        condition = self._terms()
        if self._at < len(self._tokens):
            raise InvalidCondition(f"'{self._tokens[self._at]}' is not expected")
        return condition

    def _terms(self) -> Condition:
        """`a`, `a AND b AND …` or `a OR b OR …`."""
        terms, joined = [self._term()], None
        while (word := {"and": all, "&&": all, "or": any, "||": any}.get(self._next().lower())) is not None:
            if joined not in (None, word):
                raise InvalidCondition("AND beside OR needs parentheses")
            joined, self._at = word, self._at + 1
            terms.append(self._term())
        if joined is None:
            return terms[0]
        join = joined
        return lambda action, about: join(term(action, about) for term in terms)

    def _term(self) -> Condition:
        word = self._next().lower()
        if word in ("!", "not"):
            self._at += 1
            negated = self._term()
            return lambda action, about: not negated(action, about)
        if word == "(":
            self._at += 1
            inner = self._terms()
            self._take(")")
            return inner
        if word == "actionmatches":
            self._at += 1
            patterns = self._values(guids=False)
            return lambda action, _: any(matches(pattern, action) for pattern in patterns)
        if word == "exists":
            self._at += 1
            there = self._attribute()
            return lambda _, about: bool(there(about))
        return self._comparison()

    def _comparison(self) -> Condition:
        """`attribute operator value`, or with a quantifier `attribute ForAnyOfAnyValues:StringLike {several, values}`.
        Without one both sides have one value, of which every quantifier says the same."""
        against = self._next()
        left = self._attribute()
        name = self._next()
        self._at += 1
        first, _, second = name.lower().rpartition(":")
        if second not in COMPARISONS or (first and first not in QUANTIFIERS):
            raise InvalidCondition(f"'{name}' is not an operator")
        quantifier, compare = QUANTIFIERS[first or "foranyofanyvalues"], COMPARISONS[second]
        guids = second.startswith("guid")
        if guids == against.lower().rstrip("] ").endswith(PRINCIPAL_TYPE.lower()):
            raise InvalidCondition(f"'{name}' does not compare {against}")
        right = self._attribute() if self._next().startswith("@") else self._literal(guids=guids, one=not first)

        def holds(_: str, about: Attributes) -> bool:
            found, wanted = left(about), right(about)
            return bool(found) and bool(wanted) and quantifier(compare, found, wanted)

        return holds

    def _literal(self, *, guids: bool, one: bool) -> _Operand:
        values = self._values(guids=guids)
        if one and len(values) > 1:
            raise InvalidCondition("several values need a quantifier")
        return lambda _: values

    def _attribute(self) -> _Operand:
        token = self._next()
        self._at += 1
        source, _, name = token.rstrip("]").partition("[")
        known = _ATTRIBUTES.get(name.strip().lower())
        if source.lower() not in ("@request", "@resource") or known is None:
            raise InvalidCondition(f"{source.removeprefix('@')} attribute {name} is not valid")
        if source.lower() == "@request":
            return lambda about: (about.request[known],) if known in about.request else ()
        return lambda about: (about.resource[known],) if known in about.resource else ()

    def _values(self, *, guids: bool) -> tuple[str, ...]:
        """One value or `{several, of, them}`: strings in quotes, GUIDs bare."""
        if self._next() != "{":
            return (self._value(guids=guids),)
        self._at += 1
        values = [self._value(guids=guids)]
        while self._next() == ",":
            self._at += 1
            values.append(self._value(guids=guids))
        self._take("}")
        return tuple(values)

    def _value(self, *, guids: bool) -> str:
        token = self._next()
        self._at += 1
        if not guids and token.startswith("'"):
            return token[1:-1]
        if guids and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token, re.IGNORECASE):
            return token
        raise InvalidCondition(f"'{token}' is not a {'GUID without quotes' if guids else 'string in quotes'}")

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, sign: str) -> None:
        if self._next() != sign:
            raise InvalidCondition(f"'{sign}' is missing")
        self._at += 1
