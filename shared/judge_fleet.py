"""Judging many clusters: the fleet is read batch by batch, and each cluster of it is judged. The sweep does it with
what the Guard remembers, the terminal without anything deployed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.compliance import Finding, JudgedCluster, Repairs, SweepSummary
from shared.domain.errors import GuardError, TransientError
from shared.domain.facts import Fact, Present, Unobserved, observed_at, value_of
from shared.domain.fleet import FleetBatch, Remembered, Scope, SeenCluster, SharedFacts, Source
from shared.domain.ids import ClusterId
from shared.domain.observed import BackupInstance
from shared.domain.profile import Configuration
from shared.domain.sweeps import Totals
from shared.domain.time import Moment
from shared.plan.compliance.cluster_controls import version_key
from shared.plan.compliance.control import Control
from shared.plan.compliance.findings import (
    exemption_over,
    exemption_unused,
    not_listed,
    not_shown,
    orphaned,
    perhaps_orphaned,
)
from shared.plan.compliance.judge import Fleet, judge, newest_extension_of
from shared.plan.compliance.scope import batches_of
from shared.plan.compliance.tally import tallies_of, tally_of
from shared.plan.compliance.vault_controls import asks_diagnostics
from shared.plan.selection import Selected, matches, select_profile
from shared.ports import FleetReader

MOST_CONFIRMED, MOST_DIAGNOSED = 50, 100
"""Direct reads a sweep: of clusters whose backup instance is left, and of vaults' diagnostic settings."""
READ_AGAIN = 3600.0
"""Azure's seconds for which nobody asks again about a vault's diagnostic settings."""
_AT_ONCE = 100
"""Clusters judged before others have their turn."""
_GONE_WITH_THEIR_BACKUPS = frozenset({"softdeleted", "softdeleting"})
"""States of an instance that somebody has deleted already, in lower case (Backup Instances REST)."""


class AskAgainLater(TransientError):  # noqa: N818 - nothing is wrong yet
    """Azure did not answer everything that was asked. What it did answer is not judged."""


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Some subscriptions' clusters. `done` batches of `of` are judged now. `unread` says why the clusters could not be
    listed; `unlisted` exist, but Resource Graph does not list them yet; `matched` are exemptions of guard.yaml, by
    their place."""

    clusters: tuple[JudgedCluster, ...]
    findings: tuple[Finding, ...] = ()
    sources: tuple[Source, ...] = ()
    done: int = 0
    of: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    """Of the fleet's subscriptions, by id."""
    unread: str = ""
    unlisted: tuple[ClusterId, ...] = ()
    matched: frozenset[int] = frozenset()


class FleetJudge:
    """Judges batches with what they share: vaults, policies, the answers to the user's own queries. It may make so many
    direct reads more: `confirmations` of clusters, `diagnoses` of vaults. `patient`: what is not answered now is asked
    again later, and not judged as unreadable."""

    def __init__(
        self,
        reader: FleetReader,
        configuration: Configuration,
        controls: tuple[Control, ...],
        moment: Callable[[], Moment],
        remembered: Mapping[ClusterId, Remembered],
        diagnostics: Mapping[str, Fact[bool]],
        *,
        confirmations: int = MOST_CONFIRMED,
        diagnoses: int = MOST_DIAGNOSED,
        newest_extension: str = "",
        patient: bool = False,
    ) -> None:
        self._reader, self._configuration, self._controls = reader, configuration, controls
        self._moment, self._remembered = moment, remembered
        self.diagnostics = dict(diagnostics)
        self.confirmations, self.diagnoses = confirmations, diagnoses
        self.newest_extension, self._patient = newest_extension, patient
        self._shared = SharedFacts()
        self._own: dict[str, Mapping[str, str] | Unobserved] = {}

    async def prepare(self, subscriptions: Sequence[str]) -> tuple[Source, ...]:
        """Ask what all batches share. Raises AskAgainLater."""
        self._shared = await self._reader.shared()
        self._have_patience(self._shared.sources)
        sources = [*self._shared.sources]
        for query in self._configuration.controls:
            try:
                self._own[query.id], source = await self._reader.matching(query.query, subscriptions)
            except GuardError as error:
                self._own[query.id] = Unobserved(str(error)[:500])
                source = Source(f"control {query.id}", self._moment().now, error=str(error)[:500])
            sources.append(source)
        return tuple(sources)

    async def batch(self, subscriptions: Sequence[str], *, only: ClusterId | None = None) -> JudgedBatch:
        """Raises AskAgainLater."""
        try:
            seen = await self._reader.batch(subscriptions)
        except GuardError as error:
            why = str(error)[:500]
            self._have_patience([Source("clusters", self._moment().now, error=why)])
            findings = tuple(not_listed(subscription, why) for subscription in subscriptions)
            return JudgedBatch((), findings, (Source("clusters", self._moment().now, error=why),), unread=why)
        self._have_patience(seen.sources)
        listed = {each.cluster_id: each for each in seen.clusters if only in (None, each.cluster_id)}
        self.newest_extension = max(newest_extension_of(seen.clusters), self.newest_extension, key=version_key)
        read = await self._diagnose(listed.values())
        fleet = Fleet(
            self._configuration,
            replace(self._shared, diagnostics=self.diagnostics),
            self._controls,
            self._own,
            self.newest_extension,
            self._moment(),
        )
        judged: list[JudgedCluster] = []
        for number, (cluster_id, each) in enumerate(listed.items(), 1):
            judged.append(judge(each, seen.grants, self._remembered.get(cluster_id), fleet))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        findings, unlisted, confirmed = await self._orphans(seen) if only is None else ((), (), ())
        matched = exemptions_matched(self._configuration, listed.values())
        sources = (*seen.sources, *read, *confirmed)
        return JudgedBatch(tuple(judged), findings, sources, unlisted=unlisted, matched=matched)

    def _have_patience(self, sources: Sequence[Source]) -> None:
        for source in sources:
            if source.error and self._patient:
                raise AskAgainLater("Unread", f"{source.name}: {source.error}")

    async def _orphans(self, seen: FleetBatch) -> tuple[tuple[Finding, ...], tuple[ClusterId, ...], tuple[Source, ...]]:
        """Resource Graph alone proves no absence, so each missing cluster is asked for."""
        findings: list[Finding] = []
        unlisted: list[ClusterId] = []
        asked = Asked(self._reader)
        for instance in seen.orphans:
            if instance.protection_state.lower() in _GONE_WITH_THEIR_BACKUPS:
                continue
            try:
                cluster = ClusterId.parse(instance.cluster_id)
            except ValueError:
                findings.append(perhaps_orphaned(instance, "it does not name a cluster."))
                continue
            there = await self._is_there(cluster, instance, asked)
            if there is True:
                unlisted.append(cluster)
            else:
                findings.append(orphaned(instance) if there is False else perhaps_orphaned(instance, there))
        self.confirmations -= asked.calls
        return tuple(findings), tuple(dict.fromkeys(unlisted)), asked.sources(self._moment().now)

    async def _is_there(self, cluster: ClusterId, instance: BackupInstance, asked: "Asked") -> bool | str:
        """Or why nobody can tell."""
        known = self._remembered.get(cluster)
        if known is not None and known.deleted_at is not None:
            return False
        if asked.calls >= self.confirmations:
            return "it was not asked for directly, since too many others were."
        return await asked.exists(cluster)

    async def _diagnose(self, clusters: Collection[SeenCluster]) -> tuple[Source, ...]:
        """Ask about the vaults whose profile wants to know, those first that were asked about longest ago."""
        wanted = self._vaults_to_diagnose(clusters)
        moment = self._moment()
        age = {vault: _age(self.diagnostics.get(vault), moment) for vault in wanted}
        due = sorted((vault for vault in wanted if age[vault] >= READ_AGAIN), key=lambda vault: (-age[vault], vault))
        calls = 0
        for vault in due[: max(0, self.diagnoses)]:
            calls += 1
            try:
                self.diagnostics[vault] = Present(await self._reader.diagnosed(vault), self._moment().now)
            except GuardError as error:
                known = self.diagnostics.get(vault)
                if not isinstance(known, Present):  # else what was read before still says how old it is
                    self.diagnostics[vault] = Unobserved(str(error)[:500])
        self.diagnoses -= calls
        return (Source("diagnostic settings", moment.now, rows=calls, request_ids=("",) * calls),) if calls else ()

    def _vaults_to_diagnose(self, clusters: Collection[SeenCluster]) -> set[str]:
        configuration, now = self._configuration, self._moment().now
        if not any(map(asks_diagnostics, configuration.profiles.values())):
            return set()
        vaults: set[str] = set()
        for seen in clusters:
            selected = select_profile(configuration, seen.cluster_id, seen.cluster, now)
            if isinstance(selected, Selected) and asks_diagnostics(selected.profile):
                vaults |= {instance.vault_id.lower() for instance in value_of(seen.instances) or ()}
        return vaults


class Asked:
    """Direct questions whether a cluster is there, and how many they were."""

    def __init__(self, reader: FleetReader) -> None:
        self._reader = reader
        self.calls = 0

    async def exists(self, cluster: ClusterId) -> bool | str:
        """Or why nobody can tell."""
        self.calls += 1
        try:
            return await self._reader.exists(cluster)
        except GuardError as error:
            return f"{error}."[:500]

    def sources(self, at: datetime) -> tuple[Source, ...]:
        return (Source("clusters asked for directly", at, ("",) * self.calls, self.calls),) if self.calls else ()


async def judged_fleet(
    reader: FleetReader,
    scope: Scope,
    configuration: Configuration,
    controls: tuple[Control, ...],
    moment: Callable[[], Moment],
    remembered: Mapping[ClusterId, Remembered],
    *,
    only: ClusterId | None = None,
    diagnostics: Mapping[str, Fact[bool]] | None = None,
) -> AsyncIterator[JudgedBatch]:
    """The whole fleet, or `only` one cluster of it. Raises GuardError when not even the scope can be read; what else
    cannot is in the findings."""
    shown = await reader.scope(Scope((only.subscription_id,)) if only else scope)
    names = {each.subscription_id: each.name for each in shown.subscriptions}
    batches = batches_of(shown.subscriptions)
    judge_ = FleetJudge(reader, configuration, controls, moment, remembered, diagnostics or {})
    sources = (*shown.sources, *await judge_.prepare(tuple(names)))
    findings = tuple(not_shown(name) for name in shown.unreadable)
    yield JudgedBatch((), findings, sources, 0, len(batches), names)
    matched: frozenset[int] = frozenset()
    unread = bool(shown.unreadable)
    for done, batch in enumerate(batches, 1):
        judged = await judge_.batch(batch.subscriptions, only=only)
        matched |= judged.matched
        unread = unread or bool(judged.unread)
        last = done == len(batches) and only is None
        more = exemption_findings(configuration, matched, moment().now, all_read=not unread) if last else ()
        yield replace(judged, findings=judged.findings + more, done=done, of=len(batches), names=names)


def exemptions_matched(configuration: Configuration, clusters: Collection[SeenCluster]) -> frozenset[int]:
    """Exemptions, by their place, that match one of the clusters. Most do at once."""
    matched: set[int] = set()
    left = list(enumerate(configuration.exemptions))
    for seen in clusters:
        if not left:
            break
        tags = {name.lower(): value for name, value in seen.cluster.tags.items()}
        now = [n for n, e in left if matches(e.selector, seen.cluster_id, seen.cluster.location, tags)]
        if now:
            matched.update(now)
            left = [(number, exemption) for number, exemption in left if number not in matched]
    return frozenset(matched)


def exemption_findings(
    configuration: Configuration, matched: Collection[int], now: datetime, *, all_read: bool
) -> tuple[Finding, ...]:
    """Those that are over, and, when every cluster could be read, those that match none."""
    findings: list[Finding] = []
    for number, exemption in enumerate(configuration.exemptions):
        if exemption.expires is not None and exemption.expires <= now:
            findings.append(exemption_over(exemption))
        elif number not in matched and all_read:
            findings.append(exemption_unused(exemption))
    return tuple(findings)


def summarised(
    totals: Totals,
    configuration: Configuration,
    *,
    sweep_id: str,
    started_at: datetime,
    ended_at: datetime,
    names: Mapping[str, str],
    findings: Sequence[Finding] = (),
    sources: Sequence[Source] = (),
    changes: int = 0,
    repairs: Repairs | None = None,
) -> SweepSummary:
    """What all batches come to; `totals` are those of `shared.plan.compliance.tally.counted`."""
    return SweepSummary(
        sweep_id=sweep_id,
        started_at=started_at,
        ended_at=ended_at,
        configuration_revision=configuration.revision,
        overall=tally_of(totals.overall),
        by_team=tallies_of(totals.by_team),
        by_subscription=tallies_of(totals.by_subscription),
        by_location=tallies_of(totals.by_location),
        by_profile=tallies_of(totals.by_profile),
        by_control={control: dict(counts) for control, counts in totals.by_control.items()},
        subscription_names=dict(names),
        findings=tuple(findings),
        sources=tuple(sources),
        calls=calls_of(sources),
        changes=changes,
        repairs=repairs or Repairs(),
    )


def calls_of(sources: Sequence[Source]) -> int:
    return sum(max(1, len(source.request_ids)) for source in sources)


def sweep_id_of(at: datetime, word: str) -> str:
    """Sorts by time. `word` is something nobody else has."""
    letters = "".join(letter for letter in word.lower() if letter.isascii() and letter.isalnum())
    return f"{at:%Y%m%dT%H%M%SZ}-{letters[-6:] or 'x'}"


def _age(fact: Fact[bool] | None, moment: Moment) -> float:
    at = observed_at(fact) if fact is not None else None
    return float("inf") if at is None else moment.since(at)
