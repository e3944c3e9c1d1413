"""A Guard deployed into a simulated Azure, over ARM and as infra/ does it, and what `doctor` says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cli.app_health import AppHealth
from cli.azure import ReadingArm
from cli.doctor.check import Result
from cli.doctor.deployment import Deployment, deployment_of
from cli.doctor.function_app import FUNCTIONS
from cli.doctor.judge import judge
from cli.doctor.providers import NEEDED
from cli.doctor.reading import look
from cli.doctor.rights_files import wanted_rights
from cli.quota import MemoryQuota
from infra.rights import Mode
from infra.rights.calls import RBAC_ADMINISTRATOR, custom_role
from infra.rights.calls import Deployment as Rights
from shared.record.keys import QUEUES, TABLES
from shared.settings import SETTINGS
from simulator.arm.route import Principal
from simulator.clock import VirtualClock
from simulator.cloud import Cloud
from simulator.transport import BASE_URL, SimulatedCredential, SimulatedTransport
from tests.virtual.azure import RESOURCES, ROLES, STORAGE, SUBSCRIPTION, Operator

SECOND = "00000000-0000-0000-0000-0000000000bb"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{ROOT}/resourceGroups/rg-guard"
MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/landing"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
APP = f"{GROUP}/providers/Microsoft.Web/sites/func-guard"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-guard"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stguard"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/topics/evgt-guard"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-guard"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-guard"
SETTINGS_OF_APP = f"{APP}/config/appsettings"
AUTHENTICATION = f"{APP}/config/authsettingsV2"
WEB, EVENTS, VAULTS, IDENTITIES = "2024-11-01", "2025-02-15", "2024-11-01", "2024-11-30"
WORKSPACES = "2025-02-01"
AUTH_CLIENT = "c0000000-0000-0000-0000-00000000000c"
URL = "https://func-guard.azurewebsites.net"
TYPES = [f"Microsoft.Resources.Resource{what}Success" for what in ("Write", "Delete", "Action")]
_AKS = "Microsoft.ContainerService/managedClusters"
OPERATIONS = [
    f"{_AKS}/write", f"{_AKS}/delete", f"{_AKS}/start/action", f"{_AKS}/stop/action", "Microsoft.Resources/tags/write",
]  # fmt: skip
OWN_TYPES = [
    f"AksBackupGuard.{kind}"
    for kind in ("BackupJobCompleted", "BackupJobCompletedWithWarnings", "BackupJobFailed", "SyntheticEvent")
]
HEALTHY = AppHealth(True, "0.1.0")


@dataclass
class DeployedWorld:
    """`operator` deploys, and may do everything; the app's own principal is the identity's."""

    mode: Mode = "enforce"
    delivery: str = "function"
    subscriptions: tuple[str, ...] = (SUBSCRIPTION,)
    managed: tuple[str, ...] = ()
    """Subscriptions that are monitored because they lie below the management group."""
    given: dict[str, str] = field(default_factory=dict)
    """Values of the azd environment that a person set."""
    began: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    health: AppHealth = HEALTHY

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.began)
        self.cloud = Cloud(self.clock)
        self.cloud.event_grid.deliver = _taken
        self.operator = Operator(self.cloud, self.clock)

    async def deploy(self) -> None:
        for subscription in self.everywhere:
            if subscription != SUBSCRIPTION:
                self.cloud.resources.add_subscription(subscription, subscription)
        if self.managed:
            self.given["GUARD_MANAGEMENT_GROUPS"] = "landing"
            self.cloud.management.put("landing", None, None, list(self.managed))
            self.cloud.authorization.grant(self.cloud.identity.operator.object_id, OWNER, MANAGEMENT_GROUP)
        await self.stage_one()
        await self.stage_two()

    # Stage one: infra/main.bicep and the hook postprovision

    async def stage_one(self) -> None:
        place = {"location": "westeurope"}
        await self.put(GROUP, RESOURCES, place)
        identity = (await self.put(IDENTITY, IDENTITIES, place))["properties"]
        self.principal, client = identity["principalId"], identity["clientId"]
        kind = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        await self.put(ACCOUNT, STORAGE, place | kind | {"properties": {"allowSharedKeyAccess": False}})
        await self.clock.advance(60)
        for table in TABLES:
            await self.put(f"{ACCOUNT}/tableServices/default/tables/{table}", STORAGE, {})
        for queue in QUEUES:
            await self.put(f"{ACCOUNT}/queueServices/default/queues/{queue}", STORAGE, {})
        for container in ("deployments", "dead-letters"):
            await self.put(f"{ACCOUNT}/blobServices/default/containers/{container}", STORAGE, {})
        wanted = {"inputSchema": "CloudEventSchemaV1_0", "disableLocalAuth": True}
        await self.put(TOPIC, EVENTS, place | {"identity": {"type": "SystemAssigned"}, "properties": wanted})
        await self.clock.advance(60)
        self.endpoint = (await self.get(TOPIC, EVENTS))["properties"]["endpoint"]
        sku = {"family": "A", "name": "standard"}
        tenant = self.cloud.identity.tenant_id
        await self.put(VAULT, VAULTS, place | {"properties": {"sku": sku, "tenantId": tenant}})
        await self.put(f"{VAULT}/secrets/channel-team", VAULTS, {"properties": {"value": "json://127.0.0.1"}})
        await self.put(WORKSPACE, WORKSPACES, place | {"properties": {}})
        site = {"functionAppConfig": {"runtime": {"name": "python", "version": "3.13"}}}
        site["keyVaultReferenceIdentity"] = IDENTITY  # type: ignore[assignment]
        assigned = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
        await self.put(APP, WEB, place | {"kind": "functionapp,linux", "identity": assigned, "properties": site})
        self.values = {
            "FUNCTION_APP_ID": APP, "FUNCTION_APP_URL": URL, "APP_IDENTITY_ID": IDENTITY,
            "APP_PRINCIPAL_ID": self.principal, "APP_CLIENT_ID": client, "STORAGE_ACCOUNT_ID": ACCOUNT,
            "EVENT_TOPIC_ID": TOPIC, "EVENT_TOPIC_ENDPOINT": self.endpoint, "KEY_VAULT_NAME": "kv-guard",
            "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE, "EVENT_DELIVERY": self.delivery, "DEPLOYED_MODE": self.mode,
            "MONITORED_SUBSCRIPTIONS": ",".join(self.subscriptions), "GUARD_REGIONS": "westeurope",
        } | self.given  # fmt: skip
        await self.put(SETTINGS_OF_APP, WEB, {"properties": self.settings(client)})
        await self.put(AUTHENTICATION, WEB, {"properties": authentication()})
        await self._rights()

    def settings(self, client: str) -> dict[str, str]:
        own = {each.name: each.default for each in SETTINGS if each.name.startswith("AKS_BACKUP_GUARD_")}
        return own | {
            "AzureWebJobsStorage__tableServiceUri": "https://stguard.table.core.windows.net/",
            "AzureWebJobsStorage__queueServiceUri": "https://stguard.queue.core.windows.net/",
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": client,
            "AKS_BACKUP_GUARD_CLIENT_ID": client,
            "AKS_BACKUP_GUARD_EVENT_TOPIC": self.endpoint,
            "AKS_BACKUP_GUARD_SUBSCRIPTIONS": ",".join(self.subscriptions),
            "AKS_BACKUP_GUARD_MANAGEMENT_GROUPS": self.given.get("GUARD_MANAGEMENT_GROUPS", ""),
            "AKS_BACKUP_GUARD_CHANNEL_TEAM": "@Microsoft.KeyVault(VaultName=kv-guard;SecretName=channel-team)",
        }

    async def _rights(self) -> None:
        rights = Rights(self.principal, self.mode)
        if self.managed:
            await self._rights_above()
        for subscription in self.everywhere:
            for namespace in NEEDED:
                self.cloud.resources.register(subscription, namespace, "Registered")
            snapshots = f"/subscriptions/{subscription}/resourceGroups/AKSAzureBackupSnapshots_westeurope"
            calls = rights.in_subscription(subscription) if subscription in self.subscriptions else []
            for call in [*calls, *rights.snapshot_group(snapshots, "westeurope")]:
                await self.put(call.path, call.api_version, call.body)
        for each in wanted_rights(self.deployment).app:
            await self.grant(each.guid, each.scope)

    async def _rights_above(self) -> None:
        """As infra/fleet/management-group.bicep."""
        guid = str(uuid5(NAMESPACE_URL, MANAGEMENT_GROUP))
        call = custom_role(MANAGEMENT_GROUP, guid, "AKS Backup Guard landing", wanted_rights(self.deployment).actions)
        await self.put(call.path, call.api_version, call.body)
        await self.grant(guid, MANAGEMENT_GROUP)
        if self.mode == "enforce":
            condition = wanted_rights(self.deployment).assign_roles
            await self.grant(RBAC_ADMINISTRATOR, MANAGEMENT_GROUP, condition=condition, conditionVersion="2.0")

    @property
    def everywhere(self) -> tuple[str, ...]:
        return (*self.subscriptions, *self.managed)

    # Stage two: the hook postdeploy

    async def stage_two(self) -> None:
        self.deploy_code()
        topics: dict[str, tuple[str, str, list[str], list[str] | None]]
        topics = {TOPIC: ("job-events", "job_events", OWN_TYPES, None)}
        for subscription in self.everywhere:
            group = f"/subscriptions/{subscription}/resourceGroups/rg-guard-events"
            topic = f"{group}/providers/Microsoft.EventGrid/systemTopics/aks-backup-guard"
            await self.put(group, RESOURCES, {"location": "westeurope"})
            source = {"source": f"/subscriptions/{subscription}", "topicType": "Microsoft.Resources.Subscriptions"}
            body = {"location": "global", "identity": {"type": "SystemAssigned"}, "properties": source}
            await self.put(topic, EVENTS, body)
            topics[topic] = ("func-guard", "cluster_events", TYPES, OPERATIONS)
        for topic, (name, function, types, operations) in topics.items():
            principal = (await self.get(topic, EVENTS))["identity"]["principalId"]
            for each in wanted_rights(self.deployment).topics:
                await self.grant(each.guid, each.scope, principal)
            await self.subscribe(topic, name, function, types, operations)
        await self.clock.advance(120)

    async def subscribe(
        self, topic: str, name: str, function: str, types: list[str], operations: list[str] | None, **changes: Any
    ) -> None:
        """`changes` are of the event subscription's properties."""
        chosen: dict[str, Any] = {"includedEventTypes": types}
        if operations is not None:
            one = {"operatorType": "StringIn", "key": "data.operationName", "values": operations}
            of_clusters = {"operatorType": "StringContains", "key": "subject", "values": [f"/providers/{_AKS}/"]}
            chosen["advancedFilters"] = [one, of_clusters]
        own = {"type": "SystemAssigned"}
        blob = {"resourceId": ACCOUNT, "blobContainerName": "dead-letters"}
        dead = {"identity": own, "deadLetterDestination": {"endpointType": "StorageBlob", "properties": blob}}
        wanted: dict[str, Any] = {
            "eventDeliverySchema": "CloudEventSchemaV1_0",
            "filter": chosen,
            "deadLetterWithResourceIdentity": dead,
            "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
        }
        if self.delivery == "queue":
            queue = {"resourceId": ACCOUNT, "queueName": "events"}
            to = {"identity": own, "destination": {"endpointType": "StorageQueue", "properties": queue}}
            wanted["deliveryWithResourceIdentity"] = to
        else:
            called = {"resourceId": f"{APP}/functions/{function}"}
            wanted["destination"] = {"endpointType": "AzureFunction", "properties": called}
        body = {"properties": wanted | changes}
        await self.put(f"{topic}/eventSubscriptions/{name}", EVENTS, body)
        await self.clock.advance(120)

    def deploy_code(self) -> None:
        self.has_functions(*FUNCTIONS)

    def has_functions(self, *names: str) -> None:
        """The code that is deployed has them."""
        self.cloud.web.set_functions(APP, list(names))
        for name in names:
            self.cloud.event_grid.map_function(f"{APP}/functions/{name}", "http://127.0.0.1:1/")

    # As the operator

    async def put(self, path: str, version: str, body: Mapping[str, Any]) -> Any:
        return await self.operator.do("PUT", path, version, dict(body), wait=0)

    async def get(self, path: str, version: str) -> Any:
        found = await self.operator.get(path, version)
        assert found is not None, path
        return found

    async def done(self, method: str, path: str, version: str, body: Any = None) -> Any:
        """And Azure has had the time it takes."""
        return await self.operator.do(method, path, version, body)

    async def grant(self, guid: str, scope: str, principal: str = "", **condition: str) -> str:
        """Answers the assignment's ARM id."""
        who = principal or self.principal
        subscription = "/".join(scope.split("/")[:3]) if scope.startswith("/subscriptions/") else ""
        name = uuid5(NAMESPACE_URL, f"{scope}|{guid}|{who}".lower())
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        definition = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
        told = {"roleDefinitionId": definition, "principalId": who, "principalType": "ServicePrincipal"}
        await self.put(path, ROLES, {"properties": told | condition})
        return path

    async def assignments(self, scope: str, guid: str = "", principal: str = "") -> list[Any]:
        """Those given at this very scope."""
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
        who = principal or self.principal
        return [
            each
            for each in await self.operator.all_of(path, ROLES)
            if each["properties"]["principalId"] == who
            and each["properties"]["scope"].lower() == scope.lower()
            and each["properties"]["roleDefinitionId"].endswith(guid)
        ]

    # The doctor

    async def read_health(self, url: str) -> AppHealth:
        assert url == URL
        return self.health

    @property
    def deployment(self) -> Deployment:
        return deployment_of(self.values)

    async def examine(self, who: Principal | None = None) -> list[Result]:
        """As the operator unless somebody else looks."""
        arm = ReadingArm(
            BASE_URL,
            SimulatedCredential(self.cloud, who or self.cloud.identity.operator),
            ("https://management.azure.com/.default",),
            quota=MemoryQuota(),
            clock=self.clock,
            instance="doctor",
            transport=SimulatedTransport(self.cloud),
        )

        deployment = self.deployment
        try:
            return list(judge(deployment, await look(arm, deployment, self.read_health), wanted_rights(deployment)))
        finally:
            await arm.close()


async def _taken(_url: str, _headers: Mapping[str, str], _body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """Whatever Event Grid brings: what becomes of events is no matter here."""
    return 200, {}, b""


def authentication(**changes: Any) -> dict[str, Any]:
    """As infra/app/authentication.bicep has it."""
    entra = {
        "enabled": True,
        "registration": {
            "clientId": AUTH_CLIENT,
            "openIdIssuer": f"https://login.microsoftonline.com/{AUTH_CLIENT}/v2.0",
        },
        "validation": {"allowedAudiences": [f"api://{AUTH_CLIENT}", AUTH_CLIENT]},
    }
    told: dict[str, Any] = {
        "platform": {"enabled": True},
        "globalValidation": {
            "requireAuthentication": True,
            "unauthenticatedClientAction": "RedirectToLoginPage",
            "excludedPaths": ["/api/health", "/runtime/webhooks/eventgrid"],
        },
        "identityProviders": {"azureActiveDirectory": entra},
    }
    return told | changes
