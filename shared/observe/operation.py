"""Where a long-running POST stands, by the status URL that its start answered with, as azure-core polls it."""

from shared.arm.client import ArmClient
from shared.arm.errors import translate_details
from shared.domain.observed import OperationState
from shared.observe.fields import JsonObject, needed_text, text


async def read_operation(arm: ArmClient, url: str) -> OperationState | None:
    body = await arm.get_status(url)
    return None if body is None else parse_operation(body)


def parse_operation(body: JsonObject) -> OperationState:
    """Raises UnreadableBodyError."""
    return OperationState(
        status=needed_text(body, "status").lower(),
        error=translate_details(body.get("error")),
        job_id=text(body, "properties", "jobId"),
    )
