"""The tables of Resource Graph that are modelled; every one has the same columns (recorded)."""

from collections.abc import Mapping

from simulator.kql.tables import Table

COLUMNS: Mapping[str, str] = {
    "id": "string",
    "name": "string",
    "type": "string",
    "tenantId": "string",
    "kind": "string",
    "location": "string",
    "resourceGroup": "string",
    "subscriptionId": "string",
    "managedBy": "string",
    "sku": "dynamic",
    "plan": "dynamic",
    "properties": "dynamic",
    "tags": "dynamic",
    "identity": "dynamic",
    "zones": "dynamic",
    "extendedLocation": "dynamic",
}
NAMES = (
    "resources",
    "resourcecontainers",
    "recoveryservicesresources",
    "kubernetesconfigurationresources",
    "authorizationresources",
)
TABLES: Mapping[str, Table] = {name: Table(name, COLUMNS) for name in NAMES}

# Tables Azure has and the simulator does not: a query of them cannot be answered, which is not the same as invalid.
UNMODELLED = frozenset(
    {
        "advisorresources",
        "alertsmanagementresources",
        "appserviceresources",
        "computeresources",
        "extensibilityresources",
        "featureresources",
        "healthresources",
        "insightsresources",
        "maintenanceresources",
        "managedserviceresources",
        "networkresources",
        "policyresources",
        "quotaresources",
        "resourcechanges",
        "resourcecontainerchanges",
        "securityresources",
        "servicehealthresources",
        "tagsresources",
    }
)
