"""The `$filter` that ARM's own lists understand: equality on a few fields, joined by `and`."""

import re
from collections.abc import Mapping

from simulator.arm.errors import ArmError

_TERM = re.compile(r"\s*(?P<field>[A-Za-z]+)\s+eq\s+'(?P<value>(?:[^']|'')*)'\s*")


def equalities(expression: str | None, allowed: tuple[str, ...]) -> dict[str, str]:
    """`tagName eq 'a' and tagValue eq 'b'` as {"tagname": "a", "tagvalue": "b"}. Raises ArmError 400 InvalidFilter
    for a field or an operator these lists do not have."""
    found: dict[str, str] = {}
    if not expression or not expression.strip():
        return found
    for term in re.split(r"\s+and\s+", expression, flags=re.IGNORECASE):
        match = _TERM.fullmatch(term)
        if match is None or match["field"].lower() not in allowed:
            message = f"The filter '{expression}' is not supported. Supported fields are '{', '.join(allowed)}'."
            raise ArmError(400, "InvalidFilterInQueryString", message)
        found[match["field"].lower()] = match["value"].replace("''", "'")
    return found


def has_tag(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tag names compare without regard to case, tag values with (documented)."""
    if "tagname" not in wanted:
        return "tagvalue" not in wanted or wanted["tagvalue"] in tags.values()
    values = [value for name, value in tags.items() if name.lower() == wanted["tagname"].lower()]
    return bool(values) and ("tagvalue" not in wanted or wanted["tagvalue"] in values)
