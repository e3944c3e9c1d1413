"""A sweep as Markdown, for a pull request, a wiki or a chat: the sums, and the clusters that need somebody."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from shared.domain.compliance import JudgedCluster, Tally
from shared.plan.compliance.control import Control
from shared.report.snapshot import Snapshot
from shared.report.view import View, viewed, worst

_MOST_CLUSTERS = 200
_MOST_GROUPS = 30
_LONGEST = 300
_MARKUP = re.compile(r"""[\\`*_{}\[\]<>#|!~&@:"'$^=+]|(?<=www)\.""", re.IGNORECASE)
"""What makes Markdown, HTML, links or mentions of text; written as character references, all of it is text. People and
issues are looked for when those are letters again: nothing that is seen stands between the sign and the name."""
_UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn"})


def render(snapshot: Snapshot, controls: Sequence[Control]) -> str:
    """At most a few hundred lines: it says how many clusters it leaves out."""
    summary = snapshot.summary
    titles = {control.id: control.title for control in controls}
    parts = [
        "# Could the clusters be restored today?",
        f"Sweep {text(summary.sweep_id)} of {_moment(summary.started_at)}.",
        _table(("", "clusters", "yes", "no", "unknown", "exempt", "score"), [_tally("**all**", summary.overall)]),
        _groups("By team", summary.by_team, {}),
        _groups("By subscription", summary.by_subscription, summary.subscription_names),
        _groups("By region", summary.by_location, {}),
        _by_control(snapshot, titles),
        _clusters(snapshot, titles),
        _findings(snapshot, titles),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def text(foreign: str) -> str:
    """Text of others on one line, as nothing but text."""
    seen = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
        for letter in foreign[: _LONGEST * 4]
        if unicodedata.category(letter) not in _UNSEEN
    )
    line = " ".join(seen.split())
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};" + ("&#8203;" if found[0] in "@#" else ""), line)


def _clusters(snapshot: Snapshot, titles: Mapping[str, str]) -> str:
    failing = [
        cluster for cluster in snapshot.clusters if cluster.restorable not in ("Yes", "Exempt") or worst(cluster)
    ]
    if not failing:
        return "No cluster needs anybody."
    rows = viewed(failing, View(size=_MOST_CLUSTERS)).rows
    names = snapshot.summary.subscription_names
    table = _table(
        ("cluster", "subscription", "team", "restorable", "score", "worst"),
        [
            (
                text(row.name),
                text(names.get(row.subscription_id, row.subscription_id)),
                text(row.team),
                row.restorable,
                f"{row.score:.0f}",
                _worst(row, titles),
            )
            for row in rows
        ],
    )
    left_out = len(failing) - len(rows)
    more = f"\n\n{left_out:,} more: the CSV and JSON exports have all of them." if left_out else ""
    return f"## Clusters that need somebody\n\n{table}{more}"


def _worst(cluster: JudgedCluster, titles: Mapping[str, str]) -> str:
    verdict = worst(cluster)
    if verdict is None:
        return ""
    said = f"{text(titles.get(verdict.control, verdict.control))} ({verdict.status}, {verdict.severity})"
    return f"{said}: {text(verdict.message)}" if verdict.message else said


def _by_control(snapshot: Snapshot, titles: Mapping[str, str]) -> str:
    rows = [
        (text(titles.get(control, control)), *(f"{counts.get(status, 0):,}" for status in ("NonCompliant", "Unknown")))
        for control, counts in snapshot.summary.by_control.items()
        if counts.get("NonCompliant") or counts.get("Unknown")
    ]
    table = _table(("control", "not compliant", "unknown"), rows)
    return f"## By control\n\n{table}" if rows else ""


def _findings(snapshot: Snapshot, titles: Mapping[str, str]) -> str:
    rows = [
        (text(titles.get(one.control, one.control)), text(one.subject), one.status, one.severity, text(one.message))
        for one in snapshot.summary.findings[:_MOST_CLUSTERS]
    ]
    table = _table(("what", "about", "status", "severity", "message"), rows)
    left_out = len(snapshot.summary.findings) - len(rows)
    more = f"\n\n{left_out:,} more: the CSV and JSON exports have all of them." if left_out else ""
    return f"## About the fleet\n\n{table}{more}" if rows else ""


def _groups(title: str, tallies: Mapping[str, Tally], names: Mapping[str, str]) -> str:
    """The groups with the lowest scores."""
    worst_first = sorted(tallies.items(), key=lambda item: (item[1].score, item[0]))
    rows = [_tally(text(names.get(key, key)) or "(none)", tally) for key, tally in worst_first[:_MOST_GROUPS]]
    if len(rows) < 2:
        return ""
    left_out = len(worst_first) - len(rows)
    more = f"\n\n{left_out:,} more with better scores." if left_out else ""
    return f"## {title}\n\n{_table(('', 'clusters', 'yes', 'no', 'unknown', 'exempt', 'score'), rows)}{more}"


def _tally(name: str, tally: Tally) -> tuple[str, ...]:
    counts = tally.clusters, tally.yes, tally.no, tally.unknown, tally.exempt
    return name, *(f"{count:,}" for count in counts), f"{tally.score:.1f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
