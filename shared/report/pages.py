"""Pages of HTML: Jinja2 with every value escaped, none forgotten, and the words for times, shares and numbers."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.plan.remaining_words import in_words
from shared.report import marks

HERE = Path(__file__).parent / "templates"
PORTAL = "https://portal.azure.com/#@/resource"
"""Followed by an ARM id it opens that resource in the Azure portal."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, the marks that turn the direction of writing round, and halves of characters."""


def environment(*folders: Path) -> Environment:
    """Templates of the folders, then those the report and the dashboard share."""
    made = Environment(
        loader=FileSystemLoader([*folders, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": ago,
        "day": day,
        "doing": in_words,
        "iso": iso,
        "number": number,
        "percent": percent,
        "utc": utc,
        "words": words,
    }
    made.globals |= {
        "GRAVE": marks.GRAVE,
        "PORTAL": PORTAL,
        "RESTORABLE": marks.RESTORABLE,
        "VERDICTS": marks.VERDICTS,
        "CONDITIONS": marks.CONDITIONS,
    }
    return made


def visible(value: object) -> object:
    """Text in which nothing hides: what has no shape of its own shows its number instead of doing its work."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value) if type(value) is str else value


def utc(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def iso(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def ago(at: datetime | None, now: datetime) -> str:
    """In the largest unit that fits twice, so that "1 day" never stands for almost two."""
    return "never" if at is None else _lasted(now - at)


def _lasted(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    if abs(seconds) < 2:
        return "just now"
    word, size = next((unit for unit in _UNITS if abs(seconds) >= 2 * unit[1]), _UNITS[-1])
    return f"{abs(seconds) // size} {word}s ago" if seconds > 0 else f"in {abs(seconds) // size} {word}s"


def number(value: int) -> str:
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """Never rounded up: 100 % is said only when it is so."""
    if not whole:
        return "–"
    return "100 %" if part >= whole else f"{int(part / whole * 1000) / 10:.1f} %"


def words(value: object) -> str:
    """A fact as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "(empty)"
    if isinstance(value, Sequence):
        return ", ".join(str(part) for part in value) or "none"
    return str(value)
