"""The operators of conditions: what compares two values, and what compares two sets of them.

Source: https://learn.microsoft.com/azure/role-based-access-control/conditions-format. Numbers, times and booleans are
left out: no attribute of a role assignment has them."""

import re
from collections.abc import Callable, Sequence

Comparison = Callable[[str, str], bool]
Quantifier = Callable[[Comparison, Sequence[str], Sequence[str]], bool]


def _like(value: str, pattern: str) -> bool:
    r"""`*` is any text, `?` any character; `\*` and `\?` are themselves."""
    parts = re.findall(r"\\[*?]|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(part) or re.escape(part[-1]) for part in parts), value, re.DOTALL) is not None


def _with_variants(name: str, compare: Comparison) -> dict[str, Comparison]:
    """The operator, its negation, and both without regard to case."""
    negated = name.replace("string", "stringnot")
    return {
        name: compare,
        f"{name}ignorecase": lambda left, right: compare(left.lower(), right.lower()),
        negated: lambda left, right: not compare(left, right),
        f"{negated}ignorecase": lambda left, right: not compare(left.lower(), right.lower()),
    }


COMPARISONS: dict[str, Comparison] = {
    **_with_variants("stringequals", lambda left, right: left == right),
    **_with_variants("stringstartswith", lambda left, right: left.startswith(right)),
    **_with_variants("stringlike", _like),
    "guidequals": lambda left, right: left.lower() == right.lower(),
    "guidnotequals": lambda left, right: left.lower() != right.lower(),
}
"""By name in lower case."""

QUANTIFIERS: dict[str, Quantifier] = {
    "foranyofanyvalues": lambda holds, found, wanted: any(any(holds(each, one) for one in wanted) for each in found),
    "forallofanyvalues": lambda holds, found, wanted: all(any(holds(each, one) for one in wanted) for each in found),
    "foranyofallvalues": lambda holds, found, wanted: any(all(holds(each, one) for one in wanted) for each in found),
    "forallofallvalues": lambda holds, found, wanted: all(all(holds(each, one) for one in wanted) for each in found),
}
"""By name in lower case: first how many of the left side, then of how many of the right side."""
