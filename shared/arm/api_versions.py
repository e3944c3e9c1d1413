"""Which api-version each resource kind is asked with: the default of the SDK that is pinned, unless said otherwise."""

RESOURCES = "2025-04-01"
"""Resource groups and provider registration."""
SUBSCRIPTIONS = "2022-12-01"
MANAGED_CLUSTERS = "2026-08-01"
"""Managed clusters and their trusted access role bindings."""
EXTENSIONS = "2025-03-01"
VM_SIZES = "2024-07-01"
"""Of Microsoft.Compute, whose SDK is not used: a version that regions and clouds have had for long."""
STORAGE = "2026-09-01"
ROLE_ASSIGNMENTS = "2022-04-01"
RESOURCE_GRAPH = "2021-03-01"
DIAGNOSTIC_SETTINGS = "2021-05-01-preview"
"""The newest there is (Diagnostic Settings REST)."""
DATA_PROTECTION = "2026-06-01"
DATA_PROTECTION_BEFORE_ALWAYS_ON = "2025-07-01"
"""Takes vaults whose soft delete is On or Off: their refusal is reported for api-versions from 2025-09-01 on."""


def data_protection(soft_delete: str) -> str:
    """The api-version for a vault, by its soft delete state. One that is not AlwaysOn, or not known, gets the older
    version: every vault answers to it."""
    return DATA_PROTECTION if soft_delete.lower() == "alwayson" else DATA_PROTECTION_BEFORE_ALWAYS_ON
