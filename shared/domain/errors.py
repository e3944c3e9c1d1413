"""Why something did not happen, by what the loop does about it. Azure's answers become these in one table
(`shared/arm/errors.py`)."""

from dataclasses import dataclass
from typing import Literal

ErrorKind = Literal["transient", "not_ready_yet", "blocked", "invalid_profile", "ambiguous_effect"]


@dataclass(frozen=True, slots=True)
class StepError:
    """An error as the record keeps it. `retry_after` is in seconds, None when Azure gave none."""

    kind: ErrorKind
    code: str
    message: str
    recommended_action: str = ""
    retry_after: float | None = None


class GuardError(Exception):
    """Base of every error the loop understands. `code` is Azure's, or the Guard's own reason."""

    kind: ErrorKind
    request_id: str = ""
    """Azure's id of the call it answered with this error, when it did."""
    details: tuple[str, ...] = ()
    """What Azure's answer says beyond its message, outermost first."""

    def __init__(
        self, code: str, message: str, *, recommended_action: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
        self.recommended_action, self.retry_after = recommended_action, retry_after

    def as_step_error(self) -> StepError:
        return StepError(self.kind, self.code, self.message, self.recommended_action, self.retry_after)


class TransientError(GuardError):
    """429, 5xx, time-out: back off and try again; counted."""

    kind = "transient"


class NotReadyYet(GuardError):  # noqa: N818 - a state of waiting, not a fault
    """Propagation or another operation in progress: come back, until a deadline."""

    kind = "not_ready_yet"


class BlockedError(GuardError):
    """A lock, a missing right, a policy's denial, an unsupported cluster: a person must act; looked at again later."""

    kind = "blocked"


class InvalidProfileError(GuardError):
    """The desired state is impossible: terminal until the configuration changes."""

    kind = "invalid_profile"


class AmbiguousEffectError(GuardError):
    """The call may or may not have taken effect: look before trying again."""

    kind = "ambiguous_effect"


class DeliveryError(Exception):
    """A message did not arrive at a channel. The text says why without the channel's address."""


class RecordConflict(Exception):  # noqa: N818 - somebody else wrote first; a normal outcome of a race
    """The record changed since it was read, or its lease belongs to another pass."""


class MalformedEventError(ValueError):
    """Not an event the Guard knows: counted and dropped, never raised to Event Grid."""


class InvalidConfigurationError(ValueError):
    """`errors` holds one line per mistake: `guard.yaml:12: field: what is wrong; what to do`."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors
