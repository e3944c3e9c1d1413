"""Registers a resource provider in a subscription; takes up to ten minutes (resource provider registration page)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.steps import RegisterProvider


def register_provider(step: RegisterProvider) -> ArmCall:
    path = f"/subscriptions/{step.subscription_id}/providers/{step.namespace}/register"
    return ArmCall("POST", path, api_versions.RESOURCES, None, "accepted")
