"""A sweep of the terminal's own: the same controls as the deployed app's, nothing remembered, nothing written down."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from cli.azure import ReadingArm
from cli.configuration import settings
from cli.fleet import cluster_named, fleet_reader, not_there, nothing_in, scope_now, unreadable
from cli.run import COULD_NOT_TELL, FINDINGS, could_not_tell
from cli.table import progress
from shared.domain.alerts import SEVERITIES, Severity
from shared.domain.compliance import Finding, JudgedCluster
from shared.domain.errors import GuardError, InvalidConfigurationError
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import Remembered, Scope, Source
from shared.domain.ids import ClusterId
from shared.domain.observed import TrustedAccessBinding
from shared.domain.sweeps import Totals
from shared.domain.time import Moment
from shared.judge_fleet import judged_fleet, summarised, sweep_id_of
from shared.observe.fields import UnreadableBodyError
from shared.observe.trusted_access import read_bindings
from shared.own_controls import controls_of
from shared.plan.compliance.catalogue import FLEET_CONTROLS
from shared.plan.compliance.control import Control
from shared.plan.compliance.tally import counted
from shared.report.snapshot import Snapshot

if TYPE_CHECKING:
    from cli.configuration import Configured

_BINDINGS_AT_ONCE = 16
_TELLS_SCOPE = ("scope-readable", "scope-complete")
_NOT_ASKED = Remembered(bindings=Unobserved("each cluster is asked for it with --read-bindings"))


class Judged(NamedTuple):
    """`controls` are those that the verdicts and findings are of."""

    snapshot: Snapshot
    controls: tuple[Control, ...]

    def exit_code(self, fail_on: Severity) -> int:
        """2 when something essential is unknown or unread, for then the findings may not be all; else 1 when something
        at least so grave is not compliant; else 0."""
        essential = {control.id for control in self.controls if control.essential}
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        summary, code = self.snapshot.summary, 0
        if any(source.error for source in summary.sources):
            return COULD_NOT_TELL
        for finding in summary.findings:
            if finding.status == "Unknown" or finding.control in _TELLS_SCOPE:
                return COULD_NOT_TELL
            if finding.status == "NonCompliant" and finding.severity in grave:
                code = FINDINGS
        for cluster in self.snapshot.clusters:
            for verdict in cluster.verdicts:
                if verdict.status == "Unknown" and verdict.control in essential:
                    return COULD_NOT_TELL
                if verdict.status == "NonCompliant" and verdict.severity in grave:
                    code = FINDINGS
        return code


async def judged(arm: ReadingArm, known: "Configured", scope: Scope, name: str | None, with_bindings: bool) -> Judged:
    """Every cluster in scope, or the one of that name. Raises GuardError; ends the command with exit code 2 when there
    is nothing to look at or a file of the user's own controls cannot be loaded."""
    configuration = known.configuration
    controls = _controls(known)
    reader, began = fleet_reader(arm), datetime.now(UTC)
    only: ClusterId | None = None
    remembered: Mapping[ClusterId, Remembered] = _Unasked()
    if name is not None or with_bindings:
        found = await scope_now(reader, scope)
        only = await cluster_named(reader, found, name) if name is not None else None
        if with_bindings:
            subscriptions = [each.subscription_id for each in found.subscriptions]
            asked = [only] if only is not None else await reader.cluster_ids(subscriptions)
            remembered = await _with_bindings(arm, asked)
    scale = settings().loop.time_scale

    def moment() -> Moment:
        return Moment(datetime.now(UTC), scale)

    clusters: list[JudgedCluster] = []
    findings: list[Finding] = []
    sources: list[Source] = []
    totals, names = Totals(), dict[str, str]()
    with progress("Subscriptions judged") as tell:
        async for batch in judged_fleet(reader, scope, configuration, controls, moment, remembered, only=only):
            tell(batch.done, batch.of)
            totals, names = counted(totals, batch.clusters), dict(batch.names)
            clusters += batch.clusters
            findings += batch.findings
            sources += batch.sources
    if only is not None and not clusters:
        not_there(only)
    if not names:
        nothing_in(scope)
    summary = summarised(
        totals,
        configuration,
        sweep_id=sweep_id_of(began, "terminal"),
        started_at=began,
        ended_at=datetime.now(UTC),
        names=names,
        findings=findings,
        sources=sources,
    )
    return Judged(Snapshot(summary, tuple(clusters)), (*controls, *FLEET_CONTROLS))


async def clusters_to_plan(
    arm: ReadingArm, known: "Configured", scope: Scope, name: str | None, everything: bool
) -> tuple[Sequence[ClusterId], Sequence[str]]:
    """Those that `plan` looks at, and what in scope could not be read. Without `everything` only those that are not as
    their profile wants them."""
    reader = fleet_reader(arm)
    if name is not None:
        one = await cluster_named(reader, await scope_now(reader, scope), name)
        return [one], []
    if everything:
        found = await scope_now(reader, scope)
        ids = await reader.cluster_ids([each.subscription_id for each in found.subscriptions])
        return sorted(ids), unreadable(found)
    snapshot = (await judged(arm, known, scope, None, with_bindings=False)).snapshot
    wrong = [each for each in snapshot.clusters if _not_as_wanted(each)]
    unread = [f"{each.subject}: {each.message}" for each in snapshot.summary.findings if each.control in _TELLS_SCOPE]
    return sorted(ClusterId.parse(each.cluster_id) for each in wrong), unread


def _not_as_wanted(cluster: JudgedCluster) -> bool:
    if cluster.restorable == "Exempt":
        return False
    return cluster.restorable != "Yes" or any(verdict.status == "NonCompliant" for verdict in cluster.verdicts)


def _controls(known: "Configured") -> tuple[Control, ...]:
    try:
        return controls_of(known.configuration, known.folder)
    except InvalidConfigurationError as error:
        could_not_tell(f"The configuration is wrong:\n{error}", error)


class _Unasked(Mapping[ClusterId, Remembered]):
    """Of every cluster that its trusted access was not asked for."""

    def __getitem__(self, _cluster: ClusterId) -> Remembered:
        return _NOT_ASKED

    def __iter__(self) -> Iterator[ClusterId]:
        return iter(())

    def __len__(self) -> int:
        return 0


async def _with_bindings(arm: ReadingArm, clusters: Sequence[ClusterId]) -> dict[ClusterId, Remembered]:
    slots, done = asyncio.Semaphore(_BINDINGS_AT_ONCE), 0
    with progress("Trusted access read") as tell:

        async def one(cluster: ClusterId) -> tuple[ClusterId, Remembered]:
            nonlocal done
            async with slots:
                fact = await _bindings(arm, cluster)
            done += 1
            tell(done, len(clusters))
            return cluster, Remembered(bindings=fact)

        return dict(await asyncio.gather(*map(one, clusters)))


async def _bindings(arm: ReadingArm, cluster: ClusterId) -> Fact[tuple[TrustedAccessBinding, ...]]:
    try:
        found = await read_bindings(arm, cluster)
    except (GuardError, UnreadableBodyError) as error:
        return Unobserved(str(error))
    now = datetime.now(UTC)
    return Absent(now) if found is None else Present(found, now)
