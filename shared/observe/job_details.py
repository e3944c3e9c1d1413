"""The jobs API, for what a list of jobs does not tell (Jobs - Get)."""

from shared.arm import api_versions
from shared.arm.client import UNREADABLE, ArmClient
from shared.domain.errors import TransientError
from shared.domain.jobs import EndedJob
from shared.events.fields import is_job_id
from shared.observe.ended_jobs import parse_ended_job
from shared.observe.fields import UnreadableBodyError, at, needed_text

_ANY_VAULT = api_versions.data_protection("")
"""The vault's soft delete is not known here."""


class JobDetails:
    """`ports.JobReader`."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def read(self, job_id: str) -> EndedJob | None:
        if not is_job_id(job_id):
            return None  # nothing can be there, and the id may be anybody's word
        body = await self._arm.get(job_id, _ANY_VAULT)
        if body is None:
            return None
        try:
            return parse_ended_job(needed_text(body, "id"), at(body, "properties") or {}, detailed=True)
        except UnreadableBodyError as error:
            raise TransientError(UNREADABLE, f"The job could not be read: {error}") from error
