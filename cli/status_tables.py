"""What `status` and `sweep` show to a person."""

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.judged import Judged
from cli.table import printed
from shared.domain.alerts import SEVERITIES
from shared.domain.compliance import FactValue, Finding, JudgedCluster, Tally, Verdict
from shared.notify.foreign import clean
from shared.report.marks import RESTORABLE, VERDICTS, Mark
from shared.report.view import worst

_WORST_SHOWN = 15
_GROUPS_SHOWN = 20
_ROWS_SHOWN = 200
_TONES = {"good": "green", "bad": "red", "unsure": "yellow", "out": "dim"}


def fleet_status(found: Judged, to_file: bool) -> str:
    """Posture at a glance, by team and subscription, the worst clusters, and what is wrong with the fleet itself."""
    summary = found.snapshot.summary
    parts: list[RenderableType] = [_headline(summary.overall)]
    names = summary.subscription_names
    for title, tallies in (("team", summary.by_team), ("subscription", summary.by_subscription)):
        if len(tallies) > 1 or (title == "team" and set(tallies) - {""}):
            parts += ["", _tallies(title, tallies, names)]
    titles = _titles(found)
    bad = [cluster for cluster in found.snapshot.clusters if cluster.restorable != "Exempt" and worst(cluster)]
    bad.sort(key=lambda cluster: (_urgency(cluster), cluster.score, cluster.name.casefold()))
    if bad:
        table = _bare("", "cluster", "team", "score", "worst", "why")
        for cluster in bad[:_WORST_SHOWN]:
            verdict = worst(cluster)
            if verdict is not None:
                mark, why = _marked(RESTORABLE[cluster.restorable]), clean(verdict.message or verdict.reason)
                score = Text(f"{cluster.score:.0f}", justify="right")
                table.add_row(mark, _text(cluster.name), _text(cluster.team), score, _what(verdict, titles), why)
        parts += ["", table]
        if len(bad) > _WORST_SHOWN:
            parts.append(f"and {len(bad) - _WORST_SHOWN:,} more: aks-backup-guard sweep")
        alike = sum(cluster.name == bad[0].name for cluster in found.snapshot.clusters) > 1
        parts += ["", f"In detail: aks-backup-guard status {clean(bad[0].cluster_id if alike else bad[0].name)}"]
    return printed(*parts, *_findings(found, titles), *_errors(found), to_file=to_file)


def cluster_status(found: Judged, cluster: JudgedCluster, to_file: bool) -> str:
    """Every verdict with why, what it rests on, and what to do."""
    mark, by_id = RESTORABLE[cluster.restorable], {control.id: control for control in found.controls}
    about = [
        ("cluster", f"{cluster.name} ({cluster.resource_group}, {cluster.location})"),
        ("id", cluster.cluster_id),
        ("team", cluster.team or "–"),
        ("profile", f"{cluster.profile} ({cluster.mode})" if cluster.profile else "none"),
    ]
    head = Table.grid(padding=(0, 2))
    head.add_column()
    head.add_column(overflow="fold")
    for name, value in about:
        head.add_row(Text(name, "dim"), _text(value))
    head.add_row(Text("restorable", "dim"), Text(f"{mark.sign} {mark.word}", _TONES[mark.tone]))
    head.add_row(Text("score", "dim"), f"{cluster.score:.0f} of 100")
    parts: list[RenderableType] = [head]
    for verdict in sorted(cluster.verdicts, key=_gravity):
        control = by_id.get(verdict.control)
        mark = VERDICTS[verdict.status]
        title = clean(control.title) if control else verdict.control
        line = Text.assemble((f"{mark.sign} {title}", _TONES[mark.tone]), (f"  {verdict.control}", "dim"))
        if verdict.status == "Compliant":
            parts.append(line)
            continue
        line.append(f"  {verdict.status}, {verdict.severity}", "dim")
        said = [_text(verdict.message)] if verdict.message else []
        if control and verdict.status == "NonCompliant":
            said.append(Text(f"Why it matters: {clean(control.why)}"))
        if verdict.remedy:
            said.append(Text(f"What to do: {clean(verdict.remedy, 1000)}"))
        said += [
            Text(f"{fact} = {value}", "dim") for fact, value in _evidence(cluster, control.rests_on if control else ())
        ]
        parts += ["", line, Padding(Group(*said), (0, 0, 0, 4))]
    return printed(*parts, *_errors(found), to_file=to_file)


def sweep_findings(found: Judged, to_file: bool) -> str:
    """How each control stands, and what is not compliant, the gravest first; the other forms have every verdict."""
    summary, titles = found.snapshot.summary, _titles(found)
    controls = _bare("control", "compliant", "not", "unknown", "exempt")
    for name, counts in summary.by_control.items():
        figures = [counts.get(status, 0) for status in ("Compliant", "NonCompliant", "Unknown", "Exempt")]
        controls.add_row(_text(titles.get(name, name)), *(Text(f"{each:,}", justify="right") for each in figures))
    rows = [row for cluster in found.snapshot.clusters for row in _causes(cluster)]
    rows.sort(key=lambda row: (_gravity(row[1]), row[0].name.casefold()))
    table = _bare("", "severity", "cluster", "control", "why")
    for cluster, verdict, more in rows[:_ROWS_SHOWN]:
        mark, said = _marked(VERDICTS[verdict.status]), _text(verdict.message or verdict.reason)
        control = f"{verdict.control} (+{more})" if more else verdict.control
        table.add_row(mark, verdict.severity, _text(cluster.name), control, said)
    parts: list[RenderableType] = [_headline(summary.overall), "", controls]
    if rows:
        parts += ["", table]
    if len(rows) > _ROWS_SHOWN:
        parts.append(f"and {len(rows) - _ROWS_SHOWN:,} more: --output csv has all")
    return printed(*parts, *_findings(found, titles), *_errors(found), to_file=to_file)


def _causes(cluster: JudgedCluster) -> Iterable[tuple[JudgedCluster, Verdict, int]]:
    """What is not compliant, or not known: once for each message, at its gravest, with how many more say the same."""
    by_message: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in cluster.verdicts:
        if verdict.status in ("NonCompliant", "Unknown"):
            by_message.setdefault((verdict.status, verdict.message or verdict.control), []).append(verdict)
    for verdicts in by_message.values():
        yield cluster, min(verdicts, key=_gravity), len(verdicts) - 1


def _headline(tally: Tally) -> Text:
    if not tally.clusters:
        return Text("No clusters: there are none in scope, or you may not read them.", "yellow")
    several = "s" if tally.clusters > 1 else ""
    said = Text(f"Could be restored today, of {tally.clusters:,} cluster{several}: ")
    for key, count in (("Yes", tally.yes), ("No", tally.no), ("Unknown", tally.unknown), ("Exempt", tally.exempt)):
        mark = RESTORABLE[key]  # type: ignore[index]
        said.append(f"  {mark.sign} {mark.word} {count:,}", _TONES[mark.tone] if count else "dim")
    return said.append(f"   score {tally.score:.0f} of 100")


def _tallies(title: str, tallies: Mapping[str, Tally], names: Mapping[str, str]) -> Table:
    table = _bare(title, "clusters", "yes", "no", "unknown", "exempt", "score")
    worst_first = sorted(tallies.items(), key=lambda item: (item[1].score, item[0]))
    for name, tally in worst_first[:_GROUPS_SHOWN]:
        counts = (tally.clusters, tally.yes, tally.no, tally.unknown, tally.exempt)
        figures = [*(f"{count:,}" for count in counts), f"{tally.score:.0f}"]
        table.add_row(_text(names.get(name, name) or "(none)"), *(Text(each, justify="right") for each in figures))
    if len(worst_first) > _GROUPS_SHOWN:
        table.add_row(Text(f"and {len(worst_first) - _GROUPS_SHOWN:,} more", "dim"))
    return table


def _findings(found: Judged, titles: Mapping[str, str]) -> Iterable[RenderableType]:
    for number, finding in enumerate(sorted(found.snapshot.summary.findings, key=_gravity)):
        if number == 0:
            yield "\nAbout the fleet:"
        if number == _WORST_SHOWN:
            yield f"  and {len(found.snapshot.summary.findings) - number:,} more: --output csv has all"
            return
        line = _marked(VERDICTS[finding.status])
        yield Text("  ").append(line).append(f" {clean(finding.subject)}: {clean(finding.message)}")


def _errors(found: Judged) -> Iterable[RenderableType]:
    for source in found.snapshot.summary.sources:
        if source.error:
            yield Text(f"Could not be read: {clean(source.name)}: {clean(source.error)}", "yellow")


def _evidence(cluster: JudgedCluster, rests_on: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in rests_on:
        if name in cluster.facts:
            yield name, _fact(cluster.facts[name])


def _fact(value: FactValue) -> str:
    if isinstance(value, tuple):
        return clean(", ".join(value)) or "none"
    return "–" if value is None or value == "" else clean(str(value))


def _titles(found: Judged) -> dict[str, str]:
    return {control.id: control.title for control in found.controls}


def _what(verdict: Verdict, titles: Mapping[str, str]) -> Text:
    return _text(f"{titles.get(verdict.control, verdict.control)} ({verdict.severity})")


def _gravity(found: Verdict | Finding) -> tuple[int, int]:
    return list(VERDICTS).index(found.status), SEVERITIES.index(found.severity)


def _urgency(cluster: JudgedCluster) -> int:
    return {"No": 0, "Unknown": 1, "Yes": 2, "Exempt": 3}[cluster.restorable]


def _bare(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _marked(mark: Mark) -> Text:
    return Text(f"{mark.sign} {mark.word}", _TONES[mark.tone])


def _text(foreign: str) -> Text:
    return Text(clean(foreign, 1000))
