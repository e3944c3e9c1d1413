"""How a status looks to a person: a sign, a word and a tone. None of them says it alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.alerts import SEVERITIES, Severity
from shared.domain.compliance import Restorable, Verdict, VerdictStatus
from shared.domain.conditions import Status


@dataclass(frozen=True, slots=True)
class Mark:
    """`tone` is a class of the style sheet: good, bad, unsure or out."""

    sign: str
    word: str
    tone: str


VERDICTS: Mapping[VerdictStatus, Mark] = {
    "NonCompliant": Mark("✗", "Not compliant", "bad"),
    "Unknown": Mark("?", "Unknown", "unsure"),
    "Exempt": Mark("–", "Exempt", "out"),
    "Compliant": Mark("✓", "Compliant", "good"),
}
"""What needs a person first."""

RESTORABLE: Mapping[Restorable, Mark] = {
    "Yes": Mark("✓", "Yes", "good"),
    "No": Mark("✗", "No", "bad"),
    "Unknown": Mark("?", "Unknown", "unsure"),
    "Exempt": Mark("–", "Exempt", "out"),
}

CONDITIONS: Mapping[Status, Mark] = {
    "False": Mark("✗", "False", "bad"),
    "Unknown": Mark("?", "Unknown", "unsure"),
    "True": Mark("✓", "True", "good"),
}

GRAVE: Mapping[Severity, Mark] = {
    "Critical": Mark("▲", "Critical", "bad"),
    "Error": Mark("▲", "Error", "bad"),
    "Warning": Mark("△", "Warning", "unsure"),
    "Informational": Mark("○", "Informational", "out"),
}

_WENT_WELL = frozenset({"Done", "Started", "Accepted"})


def outcome(word: str) -> Mark:
    """Of a line of the audit trail: what is neither done nor under way is the code of an error."""
    if word not in _WENT_WELL:
        return Mark("✗", word, "bad")
    return Mark("✓", word, "good") if word == "Done" else Mark("→", word, "out")


_URGENCY = {status: place for place, status in enumerate(VERDICTS)}
_GRAVITY = {severity: place for place, severity in enumerate(SEVERITIES)}


def urgency(verdict: Verdict) -> tuple[int, int]:
    """Sorts what needs a person first to the top: not compliant before unknown, and then the gravest."""
    return _URGENCY[verdict.status], _GRAVITY[verdict.severity]
