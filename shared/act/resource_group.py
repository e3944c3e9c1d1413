"""Makes a resource group."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.steps import CreateResourceGroup


def create_resource_group(step: CreateResourceGroup) -> ArmCall:
    body = {"location": step.location, "tags": dict(step.tags)}
    return ArmCall("PUT", step.arm_id, api_versions.RESOURCES, body, "done")
