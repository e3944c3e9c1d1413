"""Sends a vault's jobs to a Log Analytics workspace (Diagnostic Settings REST; Backup vault diagnostics page)."""

from shared.act.call import ArmCall
from shared.arm import api_versions
from shared.domain.steps import DIAGNOSTIC_CATEGORIES, CreateDiagnosticSetting


def create_diagnostic_setting(step: CreateDiagnosticSetting) -> ArmCall:
    """Without `Dedicated` (tables of their own) the backup categories send nothing."""
    body = {
        "properties": {
            "workspaceId": step.workspace_id,
            "logAnalyticsDestinationType": "Dedicated",
            "logs": [{"category": category, "enabled": True} for category in DIAGNOSTIC_CATEGORIES],
        }
    }
    return ArmCall("PUT", step.arm_id, api_versions.DIAGNOSTIC_SETTINGS, body, "done")
