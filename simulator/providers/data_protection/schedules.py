"""Backups at the times of their policies: in calendar time, which no speed of the clock shortens."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.providers.data_protection import policy_rules
from simulator.providers.data_protection.configuration import Configuration
from simulator.providers.data_protection.job_log import policy_of
from simulator.providers.data_protection.models import BackupInstance, Policy, Vault
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_INTERVALS = {"P1D": 24} | {f"PT{hours}H": hours for hours in (4, 6, 8, 12)}


def next_backup(policy: Policy, after: datetime) -> datetime:
    """The first moment after `after` at which an accepted policy starts a backup. Only the offset that is written in
    the start counts, neither the schedule's time zone nor a number of repetitions (assumed)."""
    (text,) = policy_rules.backup_rule(policy.properties)["trigger"]["schedule"]["repeatingTimeIntervals"]
    _, start_text, interval = text.upper().split("/")
    start = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", start_text))
    every = timedelta(hours=_INTERVALS[interval])
    return start if start > after else start + every * ((after - start) // every + 1)


class Schedules:
    """Follows instances from when they are protected until they are gone. Only where the cloud has schedules at all."""

    def __init__(
        self,
        cloud: "Cloud",
        vaults: Vaults,
        configuration: Configuration,
        start: Callable[[Vault, BackupInstance], object],
    ) -> None:
        self._cloud, self._vaults, self._configuration, self._start = cloud, vaults, configuration, start

    def follow(self, instance: BackupInstance) -> None:
        """Wait for the next moment of the instance's policy, as the policy is now."""
        vault = self._vaults.by_id(instance.vault_id)
        if not self._cloud.schedules or vault is None:
            return
        moment = next_backup(policy_of(vault, instance), self._cloud.clock.now())
        if instance.next_backup_at != moment:
            instance.next_backup_at = moment
            self._wait(instance, moment)

    def follow_all_of(self, vault: Vault, policy: Policy) -> None:
        """The policy was changed in place."""
        for instance in vault.instances.values():
            if instance.next_backup_at is not None and instance.policy_id.lower() == policy.id.lower():
                self.follow(instance)

    def _wait(self, instance: BackupInstance, moment: datetime) -> None:
        clock = self._cloud.clock
        seconds = max(0.0, (moment - clock.now()).total_seconds())
        clock.call_later(seconds / clock.shorten(1), lambda: self._due(instance, moment))

    def _due(self, instance: BackupInstance, moment: datetime) -> None:
        vault = self._vaults.by_id(instance.vault_id)
        if instance.next_backup_at != moment:
            return  # the policy says something else by now
        if vault is None or not self._configuration.exists(instance):
            instance.next_backup_at = None
            return
        if self._cloud.clock.now() < moment:
            self._wait(instance, moment)
            return
        if self._configuration.refresh(instance).state == "ProtectionConfigured":
            self._start(vault, instance)
        instance.next_backup_at = None
        self.follow(instance)
