"""Patterns of actions: `*` stands for anything."""

import re
from functools import lru_cache


@lru_cache(maxsize=16384)
def matches(pattern: str, action: str) -> bool:
    """Whether the pattern, Azure's own (`Microsoft.X/*/read`), means the action. Case does not count."""
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, action, re.IGNORECASE) is not None
