"""The operations guide has the reasons a condition may give of its own, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REASON_AT = {
    **dict.fromkeys(("NotSelected", "Wait", "Gate"), 0),
    **dict.fromkeys(
        ("TransientError", "NotReadyYet", "BlockedError", "InvalidProfileError", "AmbiguousEffectError"), 0
    ),
    **dict.fromkeys(("waiting", "StepError"), 1),
    **dict.fromkeys(("Said", "Condition"), 2),
}
"""Which argument says the reason, by what is called."""
NAMED = {"NO_ANSWER", "UNREADABLE", "CLIENT_THROTTLED"}
COMPOSED = {"BackupFailed", "BackupCancelled"}
"""`Backup` and how the job ended."""


def reasons_in(source: Path) -> Iterator[str]:
    """What is passed in the place of a reason (what is True needs no remedy), and what obstacles begin with."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=called), args=args) if len(args) > REASON_AT.get(called, 99):
                at = REASON_AT[called]
                if "True" not in [text for arg in args[:at] for text in _texts(arg)]:
                    yield from _texts(args[at])
            case ast.Call(func=ast.Attribute(attr="append"), args=[ast.Tuple(elts=[reason, *_])]):
                yield from _texts(reason)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMED:
                yield from _texts(value)


def _texts(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return _texts(one) + _texts(other)
        case _:
            return []


def test_every_reason_is_in_the_guide_and_the_guide_has_no_other() -> None:
    folders = ("plan", "arm", "act", "observe")
    sources = [path for folder in folders for path in (ROOT / "shared" / folder).glob("*.py")]
    sources += [ROOT / "shared" / "look.py", ROOT / "shared" / "reconcile.py"]
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = guide.partition("| reason |")[2].partition("\n\n")[0].splitlines()[2:]
    told = {reason for row in rows for reason in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert {reason for source in sources for reason in reasons_in(source)} - told == set()
    anywhere = "".join(source.read_text(encoding="utf-8") for source in sources)
    assert {reason for reason in told - COMPOSED if f'"{reason}"' not in anywhere} == set()
