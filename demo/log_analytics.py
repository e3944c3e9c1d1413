"""A Log Analytics workspace that the Guard may read, over ARM."""

from demo.operator import RESOURCES, Operator
from simulator.identity.models import APP

_WORKSPACES = "2023-09-01"
_READER = "73c42c96-874c-492b-b04d-ab87d138a893"
"""Log Analytics Reader."""


def create_workspace(operator: Operator, workspace: str) -> str:
    """Answers its customer id, by which it is queried."""
    group = workspace.partition("/providers/")[0]
    operator.put(group, RESOURCES, {"location": "westeurope"})
    operator.put(workspace, _WORKSPACES, {"location": "westeurope", "properties": {"retentionInDays": 30}})
    body = operator.wait_for(workspace, _WORKSPACES, "provisioningState=Succeeded")
    operator.grant(_READER, APP.principal.object_id, workspace)
    return str(body["properties"]["customerId"])
