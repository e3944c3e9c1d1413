"""The calls about jobs: read, list, and ask for a backup."""

from typing import TYPE_CHECKING

from simulator.arm.route import Call
from simulator.http import Response
from simulator.providers.data_protection import policy_rules
from simulator.providers.data_protection.backups import Backups
from simulator.providers.data_protection.instances import Instances
from simulator.providers.data_protection.job_body import job_body
from simulator.providers.data_protection.job_log import JobLog, policy_of
from simulator.providers.data_protection.models import Job, UserError, Vault
from simulator.providers.data_protection.recovery_points import default_tag
from simulator.providers.data_protection.responses import accepted, invalid_input, not_found, page, refusal
from simulator.providers.data_protection.vaults import Vaults

if TYPE_CHECKING:
    from simulator.cloud import Cloud

ON_DEMAND_PER_DAY = 10  # documented


class Jobs:
    """The handlers of the calls."""

    def __init__(self, cloud: "Cloud", vaults: Vaults, instances: Instances, log: JobLog, backups: Backups) -> None:
        self._cloud, self._vaults, self._instances = cloud, vaults, instances
        self._log, self._backups = log, backups

    def get(self, call: Call) -> Response:
        job = self._vaults.of(call).jobs.get(call.params["job"].lower())
        if job is None:
            raise not_found(call, call.params["job"])
        return Response(200, job_body(job, api_version=call.api_version))

    def list_all(self, call: Call) -> Response:
        """Newest first (assumed), running ones too."""
        jobs = sorted(self._vaults.of(call).jobs.values(), key=lambda job: job.started, reverse=True)
        return page(call, jobs, lambda job: job_body(job, slim=True))

    def backup(self, call: Call) -> Response:
        """An on-demand backup. A second one while one runs is accepted and runs beside it (assumed)."""
        vault, instance = self._vaults.of(call), self._instances.of(call)
        policy = policy_of(vault, instance)
        options = call.body().get("backupRuleOptions") or {}
        override = (options.get("triggerOption") or {}).get("retentionTagOverride")
        if str(options.get("ruleName")).lower() != policy_rules.backup_rule(policy.properties)["name"].lower():
            raise invalid_input(call, f"{options.get('ruleName')} is not the policy's backup rule.")
        names = {
            tag["tagInfo"]["tagName"].lower(): tag["tagInfo"]["tagName"] for tag in policy_rules.tags(policy.properties)
        }
        if override and override.lower() not in names:
            raise invalid_input(call, f"{override} is not a tag of the policy.")
        if instance.state != "ProtectionConfigured":
            raise self._instances.wrong_state(call, instance)
        if self._log.asked_today(vault, instance, "Backup") >= ON_DEMAND_PER_DAY:  # assumed: the code
            text = f"At most {ON_DEMAND_PER_DAY} on-demand backups a day are allowed for a backup instance."
            action = ("Wait until a day has passed since the first of them.",)
            raise refusal(call, 400, UserError("UserErrorMaxOnDemandBackupsReached", text, action))
        tag = names[override.lower()] if override else default_tag(policy)
        job = self._backups.start(vault, instance, tag=tag, is_user_triggered=True)
        return self.triggered(call, vault, job)

    def triggered(self, call: Call, vault: Vault, job: Job) -> Response:
        """The answer to a call that started a job: an operation that ends at once and names it (recorded)."""
        operation = self._cloud.operations.start(
            job.instance.id,
            vault.location,
            self._cloud.timings.adhoc_trigger,
            lambda: {"jobId": job.id, "objectType": "OperationJobExtendedInfo"},
        )
        return Response(202, None, accepted(call, operation))
