"""Time that passes only when a test says so."""

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """`ports.Clock`."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self.advance_to(self._now + timedelta(seconds=seconds))

    def advance_to(self, moment: datetime) -> None:
        """Time never runs backwards."""
        self._now = max(self._now, moment)
