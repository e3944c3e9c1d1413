"""One mutating call to ARM, as data: the files of this package build them, the actor sends them."""

from dataclasses import dataclass
from typing import Any, Literal

Effect = Literal["done", "accepted", "operation"]


@dataclass(frozen=True, slots=True)
class ArmCall:
    """`path` is what the call is about, an action included. `effect` is what success means: done at once, accepted
    (read the resource again), or an operation with a status URL of its own. `once`: not idempotent."""

    method: Literal["PUT", "PATCH", "POST", "DELETE"]
    path: str
    api_version: str
    body: dict[str, Any] | None
    effect: Effect
    once: bool = False
