"""What is known of Azure. "Could not read" is never "is not there"."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Present[T]:
    """Azure answered with it at `observed_at`."""

    value: T
    observed_at: datetime
    kind: Literal["present"] = "present"


@dataclass(frozen=True, slots=True)
class Absent:
    """Azure said at `observed_at` that there is none."""

    observed_at: datetime
    kind: Literal["absent"] = "absent"


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Not read, or the read failed. Nothing destructive may follow from it, and it never counts as protected."""

    reason: str = "not read yet"
    kind: Literal["unobserved"] = "unobserved"


type Fact[T] = Present[T] | Absent | Unobserved

UNOBSERVED = Unobserved()


def value_of[T](fact: Fact[T]) -> T | None:
    """The value when it is present, else None."""
    return fact.value if isinstance(fact, Present) else None


def observed_at(fact: Fact[object]) -> datetime | None:
    """When Azure last answered, None when it has not."""
    return None if isinstance(fact, Unobserved) else fact.observed_at
