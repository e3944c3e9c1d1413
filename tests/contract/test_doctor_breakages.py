"""Every single thing that is broken in a deployment is named by `doctor`, by exactly the check that is about it, with a
command; and the command mends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cli.doctor.check import Result
from cli.doctor.function_app import FUNCTIONS
from infra.rights import ASSIGN_CONTRIBUTOR, ASSIGN_ROLES
from tests.contract.deployed_world import (
    ACCOUNT,
    APP,
    AUTHENTICATION,
    EVENTS,
    GROUP,
    IDENTITY,
    OPERATIONS,
    OWN_TYPES,
    ROOT,
    SETTINGS_OF_APP,
    TOPIC,
    TYPES,
    VAULT,
    WEB,
    DeployedWorld,
    authentication,
)
from tests.contract.person_at_a_shell import run, sent_of_site
from tests.virtual.azure import RESOURCES, ROLES, STORAGE, SUBSCRIPTION

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
BACKUP = "Microsoft.DataProtection"
SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
TABLES = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
BLOBS = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
SNAPSHOTS = f"{ROOT}/resourceGroups/AKSAzureBackupSnapshots_westeurope"
SYSTEM_TOPIC = f"{ROOT}/resourceGroups/rg-guard-events/providers/Microsoft.EventGrid/systemTopics/aks-backup-guard"
TABLE_SERVICE, QUEUE_SERVICE = f"{ACCOUNT}/tableServices/default", f"{ACCOUNT}/queueServices/default"
PREFIX = "AKS_BACKUP_GUARD_"

type Break = Callable[[DeployedWorld], Awaitable[object]]
type Named = set[tuple[str, str, str]]


@dataclass(frozen=True)
class Breakage:
    name: str
    break_it: Break
    named: Named
    mode: str = "enforce"


def settings(more: dict[str, str], *fewer: str) -> Break:
    async def change(world: DeployedWorld) -> None:
        found = await world.done("POST", f"{SETTINGS_OF_APP}/list", WEB)
        kept = {name: value for name, value in found["properties"].items() if name not in fewer}
        await world.put(SETTINGS_OF_APP, WEB, {"properties": kept | more})

    return change


def signing_in(**changes: Any) -> Break:
    async def change(world: DeployedWorld) -> None:
        await world.put(AUTHENTICATION, WEB, {"properties": authentication(**changes)})

    return change


def site(**properties: Any) -> Break:
    async def change(world: DeployedWorld) -> None:
        found = await world.get(APP, WEB)
        body = {name: found[name] for name in ("location", "kind", "identity")}
        body["properties"] = sent_of_site(found) | properties
        await world.put(APP, WEB, body)

    return change


def deleted(path: str, version: str) -> Break:
    return lambda world: world.done("DELETE", path, version)


def granted(guid: str, scope: str, condition: str = "") -> Break:
    async def give(world: DeployedWorld) -> None:
        text = condition.replace("{appPrincipalId}", world.principal)
        await world.grant(guid, scope, **({"condition": text, "conditionVersion": "2.0"} if text else {}))

    return give


def taken(guid: str, scope: str, topic: str = "") -> Break:
    """From the app, or from the identity of a topic."""

    async def take(world: DeployedWorld) -> None:
        principal = (await world.get(topic, EVENTS))["identity"]["principalId"] if topic else ""
        [found] = await world.assignments(scope, guid, principal)
        await world.done("DELETE", found["id"], ROLES)

    return take


def instead(guid: str, scope: str, condition: str) -> Break:
    """The same role at the same place under another condition, or none."""

    async def change(world: DeployedWorld) -> None:
        await taken(guid, scope)(world)
        await granted(guid, scope, condition)(world)

    return change


def role(change: Callable[[list[str]], list[str]], *not_actions: str) -> Break:
    """The custom role gives other actions, and takes some out."""

    async def write(world: DeployedWorld) -> None:
        found = await world.operator.all_of(f"{ROOT}/providers/Microsoft.Authorization/roleDefinitions", ROLES)
        custom = next(
            each
            for each in found
            if each["properties"]["type"] == "CustomRole" and len(each["properties"]["permissions"][0]["actions"]) > 5
        )
        [permission] = custom["properties"]["permissions"]
        permission["actions"], permission["notActions"] = change(permission["actions"]), list(not_actions)
        path = f"{ROOT}/providers/Microsoft.Authorization/roleDefinitions/{custom['name']}"
        await world.put(path, ROLES, {"properties": custom["properties"]})

    return write


def listening(topic: str, name: str, **changes: Any) -> Break:
    """The event subscription is another."""

    async def change(world: DeployedWorld) -> None:
        own = topic == TOPIC
        function = changes.pop("function", "job_events" if own else "cluster_events")
        types = changes.pop("types", OWN_TYPES if own else TYPES)
        operations = changes.pop("operations", None if own else OPERATIONS)
        await world.subscribe(topic, name, function, types, operations, **changes)

    return change


async def account_with_keys(world: DeployedWorld) -> None:
    await world.done("PATCH", ACCOUNT, STORAGE, {"properties": {"allowSharedKeyAccess": True}})


async def topic_with_keys(world: DeployedWorld) -> None:
    await world.done("PATCH", TOPIC, EVENTS, {"properties": {"disableLocalAuth": False}})


async def topic_of_another_schema(world: DeployedWorld) -> None:
    await world.done("DELETE", TOPIC, EVENTS)
    wanted = {"inputSchema": "EventGridSchema", "disableLocalAuth": True}
    body = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": wanted}
    await world.put(TOPIC, EVENTS, body)
    await world.clock.advance(60)
    principal = (await world.get(TOPIC, EVENTS))["identity"]["principalId"]
    await world.grant(SENDER, TOPIC)
    await world.grant(BLOBS, f"{ACCOUNT}/blobServices/default/containers/dead-letters", principal)
    await world.subscribe(TOPIC, "job-events", "job_events", OWN_TYPES, None)


async def identity_made_again(world: DeployedWorld) -> None:
    await world.done("DELETE", IDENTITY, "2024-11-30")
    await world.put(IDENTITY, "2024-11-30", {"location": "westeurope"})
    await site()(world)


async def other_functions(world: DeployedWorld, *names: str) -> None:
    world.has_functions(*names)


async def unregistered(world: DeployedWorld) -> None:
    world.cloud.resources.register(SUBSCRIPTION, "Microsoft.DataProtection", "NotRegistered")


async def unhealthy(world: DeployedWorld) -> None:
    world.health = replace(world.health, healthy=False)


NO_MORE = ("rights", "no more", SUBSCRIPTION)
SECRET = ("settings", "secret", f"{PREFIX}CHANNEL_TEAM")
FUNCTIONS_CHECK = ("function app", "functions", "")
OTHER_CONDITION = ASSIGN_ROLES.replace("acdd72a7-3385-48ef-bd42-f606fba81ae7", OWNER)
NO_CLIENT = {"azureActiveDirectory": {"enabled": False, "registration": {"clientId": ""}}}
OPEN = {"requireAuthentication": True, "excludedPaths": ["/api/health", "/runtime/webhooks/eventgrid", "/api/v1"]}
ANONYMOUS = OPEN | {"excludedPaths": OPEN["excludedPaths"][:2], "unauthenticatedClientAction": "AllowAnonymous"}  # type: ignore[index]
OFF = {"enabled": False}
ENTRA = authentication()["identityProviders"]["azureActiveDirectory"]
ANY_TENANT = {
    "azureActiveDirectory": ENTRA
    | {"registration": ENTRA["registration"] | {"openIdIssuer": "https://login.microsoftonline.com/common/v2.0"}}
}
FAILED_ONLY = {"operatorType": "StringIn", "key": "data.status", "values": ["Failed"]}

BREAKAGES = (
    Breakage("the app is stopped", lambda w: w.done("POST", f"{APP}/stop", WEB), {("function app", "runs", "")}),
    Breakage(
        "an older Python",
        site(functionAppConfig={"runtime": {"name": "python", "version": "3.12"}}),
        {("function app", "runtime", "")},
    ),
    Breakage("a function is missing", lambda w: other_functions(w, *(FUNCTIONS - {"job_watch"})), {FUNCTIONS_CHECK}),
    Breakage("a function too many", lambda w: other_functions(w, *FUNCTIONS, "backdoor"), {FUNCTIONS_CHECK}),
    Breakage("no code", other_functions, {FUNCTIONS_CHECK}),
    Breakage(
        "a function turned off",
        settings({"AzureWebJobs.reconcile.Disabled": "true"}),
        {("function app", "functions enabled", "")},
    ),
    Breakage("a misspelt setting", settings({f"{PREFIX}STOPED": "true"}), {("settings", "valid", "")}),
    Breakage("a setting that cannot be", settings({f"{PREFIX}QUOTA_RESERVE": "many"}), {("settings", "valid", "")}),
    Breakage("a setting is missing", settings({}, f"{PREFIX}QUOTA_RESERVE"), {("settings", "complete", "")}),
    Breakage(
        "another client id",
        settings({f"{PREFIX}CLIENT_ID": SUBSCRIPTION}),
        {("settings", "as deployed", f"{PREFIX}CLIENT_ID")},
    ),
    Breakage(
        "another topic",
        settings({f"{PREFIX}EVENT_TOPIC": "https://other.eventgrid.azure.net/api/events"}),
        {("settings", "as deployed", f"{PREFIX}EVENT_TOPIC")},
    ),
    Breakage(
        "a subscription nobody gave rights at",
        settings({f"{PREFIX}SUBSCRIPTIONS": f"{SUBSCRIPTION},{SUBSCRIPTION[:-1]}f"}),
        {("settings", "as deployed", f"{PREFIX}SUBSCRIPTIONS")},
    ),
    Breakage("the emergency stop", settings({f"{PREFIX}STOPPED": "true"}), {("settings", "not stopped", "")}),
    Breakage(
        "a connection string",
        settings({"AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b"}),
        {("settings", "storage by identity", "")},
    ),
    Breakage(
        "the account takes keys",
        lambda w: w.done("PATCH", ACCOUNT, STORAGE, {"properties": {"allowSharedKeyAccess": True}}),
        {("storage", "no shared keys", "")},
    ),
    Breakage(
        "a table", deleted(f"{ACCOUNT}/tableServices/default/tables/alerts", STORAGE), {("storage", "tables", "")}
    ),
    Breakage(
        "a queue", deleted(f"{ACCOUNT}/queueServices/default/queues/events", STORAGE), {("storage", "queues", "")}
    ),
    Breakage(
        "a container",
        deleted(f"{ACCOUNT}/blobServices/default/containers/deployments", STORAGE),
        {("storage", "containers", "")},
    ),
    Breakage("the topic takes keys", topic_with_keys, {("topic", "no keys", "")}),
    Breakage("the topic's schema", topic_of_another_schema, {("topic", "schema", "")}),
    Breakage(
        "nobody hears of jobs",
        deleted(f"{TOPIC}/eventSubscriptions/job-events", EVENTS),
        {("subscriptions", "event subscription", "own topic")},
    ),
    Breakage(
        "the smoke test's events are left out",
        listening(TOPIC, "job-events", types=OWN_TYPES[:-1]),
        {("subscriptions", "filter", "own topic")},
    ),
    Breakage("no system topic", deleted(SYSTEM_TOPIC, EVENTS), {("subscriptions", "system topic", SUBSCRIPTION)}),
    Breakage(
        "nobody hears of clusters",
        deleted(f"{SYSTEM_TOPIC}/eventSubscriptions/func-guard", EVENTS),
        {("subscriptions", "event subscription", SUBSCRIPTION)},
    ),
    Breakage(
        "events go to another function",
        listening(SYSTEM_TOPIC, "func-guard", function="job_events"),
        {("subscriptions", "event subscription", SUBSCRIPTION)},
    ),
    Breakage(
        "starts are left out",
        listening(SYSTEM_TOPIC, "func-guard", operations=OPERATIONS[:2]),
        {("subscriptions", "filter", SUBSCRIPTION)},
    ),
    Breakage(
        "one resource group alone is heard of",
        listening(SYSTEM_TOPIC, "func-guard", filter={"includedEventTypes": TYPES, "subjectBeginsWith": GROUP}),
        {("subscriptions", "filter", SUBSCRIPTION)},
    ),
    Breakage(
        "a filter nobody knows",
        listening(TOPIC, "job-events", filter={"includedEventTypes": OWN_TYPES, "advancedFilters": [FAILED_ONLY]}),
        {("subscriptions", "filter", "own topic")},
    ),
    Breakage(
        "deletions are left out",
        listening(SYSTEM_TOPIC, "func-guard", types=TYPES[:1]),
        {("subscriptions", "filter", SUBSCRIPTION)},
    ),
    Breakage(
        "no dead letters",
        listening(SYSTEM_TOPIC, "func-guard", deadLetterWithResourceIdentity=None),
        {("subscriptions", "dead letters", SUBSCRIPTION)},
    ),
    Breakage(
        "one attempt",
        listening(TOPIC, "job-events", retryPolicy={"maxDeliveryAttempts": 1, "eventTimeToLiveInMinutes": 1440}),
        {("subscriptions", "retry policy", "own topic")},
    ),
    Breakage("an action is missing", role(lambda actions: actions[1:]), {("rights", "actions", SUBSCRIPTION)}),
    Breakage("an action too many", role(lambda actions: [*actions, "Microsoft.Compute/disks/delete"]), {NO_MORE}),
    Breakage(
        "a pattern is missing",
        role(lambda actions: [action for action in actions if "*" not in action]),
        {("rights", "actions", SUBSCRIPTION)},
    ),
    Breakage(
        "a read is taken out of a pattern",
        role(list, f"{BACKUP}/backupVaults/backupJobs/read"),
        {("rights", "actions", SUBSCRIPTION)},
    ),
    Breakage("a wildcard", role(lambda actions: [*actions, f"{BACKUP}/*"]), {NO_MORE}),
    Breakage("a wider pattern of reads", role(lambda actions: [*actions, "*/read"]), {NO_MORE}),
    Breakage("Owner", granted(OWNER, ROOT), {NO_MORE}),
    Breakage("Contributor of a group", granted(CONTRIBUTOR, GROUP), {NO_MORE}),
    Breakage("User Access Administrator of a resource", granted(USER_ACCESS, ACCOUNT), {NO_MORE}),
    Breakage("no roles to give", taken(RBAC, ROOT), {("rights", "role administration", SUBSCRIPTION)}),
    Breakage("roles to give without a condition", instead(RBAC, ROOT, ""), {NO_MORE}),
    Breakage("roles to give under another condition", instead(RBAC, ROOT, OTHER_CONDITION), {NO_MORE}),
    Breakage("the wrong condition in a snapshot group", instead(RBAC, SNAPSHOTS, ASSIGN_ROLES), {NO_MORE}),
    Breakage("Contributors in any group", granted(RBAC, GROUP, ASSIGN_CONTRIBUTOR), {NO_MORE}),
    Breakage("roles to give, when it shall only look", granted(RBAC, ROOT, ASSIGN_ROLES), {NO_MORE}, mode="audit"),
    Breakage("no snapshot group", deleted(SNAPSHOTS, RESOURCES), {("rights", "snapshot group", SNAPSHOTS)}),
    Breakage("no Contributors in it", taken(RBAC, SNAPSHOTS), {("rights", "snapshot group's right", SNAPSHOTS)}),
    Breakage(
        "may not publish", taken(SENDER, TOPIC), {("rights", "own things", "EventGrid Data Sender on evgt-guard")}
    ),
    Breakage(
        "may keep records under a condition",
        instead(
            TABLES,
            ACCOUNT,
            "(!(ActionMatches{'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'}))",
        ),
        {("rights", "own things", "Storage Table Data Contributor on stguard")},
    ),
    Breakage(
        "may not keep records",
        taken(TABLES, ACCOUNT),
        {("rights", "own things", "Storage Table Data Contributor on stguard")},
    ),
    Breakage(
        "may not read secrets",
        taken(SECRETS_USER, VAULT),
        {("rights", "own things", "Key Vault Secrets User on kv-guard"), SECRET},
    ),
    Breakage(
        "dead letters have no place",
        taken(BLOBS, f"{ACCOUNT}/blobServices/default/containers/dead-letters", SYSTEM_TOPIC),
        {("rights", "topic's delivery", f"{SUBSCRIPTION}: Storage Blob Data Contributor")},
    ),
    Breakage("a provider", unregistered, {("providers", "registered", f"Microsoft.DataProtection in {SUBSCRIPTION}")}),
    Breakage("authentication is off", signing_in(platform=OFF), {("authentication", "on", "")}),
    Breakage("anybody may call", signing_in(globalValidation=ANONYMOUS), {("authentication", "required", "")}),
    Breakage("the API is open", signing_in(globalValidation=OPEN), {("authentication", "excluded paths", "")}),
    Breakage("the identity was made again", identity_made_again, {("identity", "identity", ""), SECRET}),
)
"""Each is mended by what is printed."""

BEYOND = (
    Breakage("no app registration", signing_in(identityProviders=NO_CLIENT), {("authentication", "on", "")}),
    Breakage("anybody's tenant", signing_in(identityProviders=ANY_TENANT), {("authentication", "issuer", "")}),
    Breakage(
        "an address in the settings",
        settings({f"{PREFIX}CHANNEL_PAGER": "json://hooks.example/TOKEN"}),
        {("settings", "secret", f"{PREFIX}CHANNEL_PAGER")},
    ),
    Breakage(
        "a secret nobody wrote",
        settings({f"{PREFIX}CHANNEL_TEAM": "@Microsoft.KeyVault(VaultName=kv-guard;SecretName=channel-none)"}),
        {SECRET},
    ),
    Breakage("the app is unhealthy", unhealthy, {("health", "healthy", "")}),
)
"""Here a person has to do something else first; the command shows what."""


def named(results: list[Result]) -> Named:
    return {(result.group, result.name, result.subject) for result in results if result.status == "wrong"}


@pytest.mark.parametrize("breakage", [*BREAKAGES, *BEYOND], ids=lambda breakage: str(breakage.name))
async def test_what_is_broken_is_named_by_its_check_and_mended_by_its_command(breakage: Breakage) -> None:
    world = DeployedWorld(breakage.mode)  # type: ignore[arg-type]
    await world.deploy()
    await breakage.break_it(world)

    results = await world.examine()
    assert named(results) == breakage.named, [result for result in results if result.status != "ok"]
    assert {result.status for result in results} == {"ok", "wrong"}
    wrong = [result for result in results if result.status == "wrong"]
    assert all(result.message and result.fix for result in wrong)
    if breakage in BEYOND:
        return

    for fix in dict.fromkeys(result.fix for result in wrong if "keyvault" not in result.fix):
        await run(world, fix)
    await world.clock.advance(600)
    assert [result for result in await world.examine() if result.status != "ok"] == []


async def test_what_a_pattern_gives_is_no_more_when_it_is_named_beside_it() -> None:
    world = DeployedWorld()
    await world.deploy()
    named_beside = [f"{BACKUP}/backupVaults/read", f"{BACKUP}/backupVaults/*/read"]
    await role(lambda actions: [*actions, *named_beside])(world)
    assert named(await world.examine()) == set()
