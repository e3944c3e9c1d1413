"""Microsoft.Storage as callers see it: accounts with a world-wide name, and their blob containers."""

from typing import TYPE_CHECKING, Any

from simulator.arm.errors import ArmError, location_is_fixed
from simulator.arm.route import Call, Route
from simulator.http import Response
from simulator.providers.authorization.scopes import is_within
from simulator.providers.resources.locations import required_location
from simulator.providers.storage.containers import Containers
from simulator.providers.storage.models import Account, Container
from simulator.providers.storage.queues_and_tables import Items
from simulator.providers.storage.responses import ACCOUNT_TYPE, account_body, not_found, poll_headers
from simulator.providers.storage.rules import account_name_error, check_account

if TYPE_CHECKING:
    from simulator.cloud import Cloud

API_VERSIONS = frozenset(
    {
        "2019-06-01",
        "2021-02-01",
        "2021-04-01",
        "2021-06-01",
        "2021-08-01",
        "2021-09-01",
        "2022-05-01",
        "2022-09-01",
        "2023-01-01",
        "2023-04-01",
        "2023-05-01",
        "2024-01-01",
        "2025-01-01",
        "2025-06-01",
        "2025-08-01",
        "2026-04-01",
        "2026-06-01",
        "2026-09-01",
    }
)
SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.Storage"
ACCOUNTS = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts"
ACCOUNT = ACCOUNTS + "/{account}"


class Storage:
    """The provider. `_accounts` is keyed by account name: the name is unique in all of Azure."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._accounts: dict[str, Account] = {}
        self._containers = Containers(self.account_of)
        self._queues = Items("queueServices", "queues", self.account_of)
        self._tables = Items("tableServices", "tables", self.account_of)

    def routes(self) -> list[Route]:
        accounts = [
            ("PUT", ACCOUNT, self.put),
            ("GET", ACCOUNT, self.get),
            ("PATCH", ACCOUNT, self.patch),
            ("DELETE", ACCOUNT, self.delete),
            ("GET", ACCOUNTS, self.list_group),
            ("GET", SUBSCRIPTION + "/storageAccounts", self.list_subscription),
            ("POST", ACCOUNT + "/listKeys", self.list_keys),
            ("POST", SUBSCRIPTION + "/checkNameAvailability", self.check_name),
            ("GET", SUBSCRIPTION + "/locations/{location}/asyncoperations/{operation}", self.operation),
        ]
        below = [call for kind in (self._containers, self._queues, self._tables) for call in kind.handlers(ACCOUNT)]
        return [Route(method, pattern, API_VERSIONS, handler) for method, pattern, handler in (*accounts, *below)]

    def account(self, resource_id: str) -> Account | None:
        found = self._accounts.get(resource_id.rstrip("/").rsplit("/", 1)[-1].lower())
        return found if found is not None and found.id.lower() == resource_id.rstrip("/").lower() else None

    def account_named(self, name: str) -> Account | None:
        return self._accounts.get(name.lower())

    def container(self, account_id: str, name: str) -> Container | None:
        account = self.account(account_id)
        return account.containers.get(name.lower()) if account is not None else None

    def seed_account(
        self, resource_id: str, location: str, properties: dict[str, Any], tags: dict[str, str]
    ) -> Account:
        """An account that has been there for long. Raises ValueError when its name is taken."""
        parts = resource_id.split("/")
        if parts[8] in self._accounts:
            raise ValueError(f"the storage account named {parts[8]} is already taken")
        account = Account(
            id=resource_id,
            name=parts[8],
            location=location,
            subscription_id=parts[2],
            resource_group=parts[4],
            sku={"name": "Standard_LRS"},
            kind="StorageV2",
            tags=tags,
            identity=None,
            properties=properties,
            created=self._cloud.clock.now(),
            provisioning_state="Succeeded",
        )
        self._accounts[account.name] = account
        self._track(account)
        return account

    def seed_container(self, account: Account, name: str) -> None:
        container_id = f"{account.id}/blobServices/default/containers/{name}"
        etag = f'"0x{self._cloud.random.getrandbits(60):015X}"'
        account.containers[name] = Container(container_id, name, {}, etag, self._cloud.clock.now())

    def drop_group(self, subscription_id: str, group: str) -> None:
        scope = f"/subscriptions/{subscription_id}/resourceGroups/{group}"
        for account in list(self._accounts.values()):
            if is_within(account.id, scope):
                self._remove(account)

    def account_of(self, call: Call) -> Account:
        """The account the call's path names. Raises 404 when there is none in that group."""
        name, group, subscription = call.params["account"], call.params["group"], call.params["subscription"]
        account = self._accounts.get(name.lower())
        if account is None or (account.resource_group.lower(), account.subscription_id.lower()) != (
            group.lower(),
            subscription.lower(),
        ):
            raise not_found(call, name)
        return account

    def put(self, call: Call) -> Response:
        name = call.params["account"]
        if (problem := account_name_error(name)) is not None:
            raise ArmError(400, "AccountNameInvalid", problem)
        body = call.body()
        location = required_location(body, ACCOUNT_TYPE)
        check_account(body)
        existing = self._accounts.get(name)
        if existing is not None and existing.id.lower() != call.resource_id.lower():
            raise self._taken(existing, call)
        if existing is not None:
            return self._replace(existing, location, body)
        account = Account(
            id=call.resource_id,
            name=name,
            location=location,
            subscription_id=call.params["subscription"],
            resource_group=call.params["group"],
            sku=dict(body["sku"]),
            kind=body["kind"],
            tags=dict(body.get("tags") or {}),
            identity=self._identity(name, body),
            properties=dict(body.get("properties") or {}),
            created=self._cloud.clock.now(),
        )
        self._accounts[name] = account
        self._track(account)

        def created() -> None:
            account.provisioning_state = "Succeeded"

        operation = self._cloud.operations.start(
            account.id, account.location, self._cloud.timings.storage_account_write, created
        )
        return Response(202, None, poll_headers(call, account.location, operation.id))

    def _replace(self, account: Account, location: str, body: dict[str, Any]) -> Response:
        if account.provisioning_state != "Succeeded":
            raise ArmError(
                409,
                "StorageAccountOperationInProgress",
                "An operation is currently performing on this storage account that requires exclusive access.",
            )
        if location != account.location:
            raise location_is_fixed(account.name, account.resource_group, account.location, location)
        account.sku, account.kind = dict(body["sku"]), body["kind"]
        account.tags = dict(body.get("tags") or {})
        account.properties |= body.get("properties") or {}
        account.identity = self._identity(account.name, body) if account.identity is None else account.identity
        self._track(account)
        return Response(200, account_body(account))

    def get(self, call: Call) -> Response:
        return Response(200, account_body(self.account_of(call)))

    def patch(self, call: Call) -> Response:
        account, body = self.account_of(call), call.body()
        if body.get("sku"):
            account.sku = dict(body["sku"])
        if "tags" in body:
            account.tags = dict(body["tags"] or {})
        account.kind = body.get("kind") or account.kind
        account.properties |= body.get("properties") or {}
        if account.identity is None:
            account.identity = self._identity(account.name, body)
        self._track(account)
        return Response(200, account_body(account))

    def delete(self, call: Call) -> Response:
        try:
            account = self.account_of(call)
        except ArmError:
            return Response(204)
        self._remove(account)
        return Response(200)

    def list_group(self, call: Call) -> Response:
        group = call.params["group"].lower()
        return self._list(call, lambda account: account.resource_group.lower() == group)

    def list_subscription(self, call: Call) -> Response:
        return self._list(call, lambda account: True)

    def _list(self, call: Call, wanted: Any) -> Response:
        subscription = call.params["subscription"].lower()
        found = [a for a in self._accounts.values() if a.subscription_id.lower() == subscription and wanted(a)]
        return Response(200, {"value": [account_body(account) for account in found]})

    def list_keys(self, call: Call) -> Response:
        account = self.account_of(call)
        keys = [
            {"creationTime": account_body(account)["properties"]["creationTime"], "keyName": name,
             "value": "c2ltdWxhdGVkLW5vdC1hLWtleQ==", "permissions": "FULL"}
            for name in ("key1", "key2")
        ]  # fmt: skip
        return Response(200, {"keys": keys})

    def check_name(self, call: Call) -> Response:
        name = str(call.body().get("name", ""))
        if (problem := account_name_error(name)) is not None:
            return Response(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": problem})
        if name in self._accounts:
            message = f"The storage account named {name} is already taken."
            return Response(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Response(200, {"nameAvailable": True})

    def operation(self, call: Call) -> Response:
        operation = self._cloud.operations.get(call.params["operation"])
        if operation is None:
            raise ArmError(404, "NotFound", "The asynchronous operation was not found.")
        if operation.ended is None:
            return Response(202, None, poll_headers(call, operation.location, operation.id))
        account = self.account(operation.resource_id)
        return Response(200, account_body(account) if account is not None else None)

    def _taken(self, existing: Account, call: Call) -> ArmError:
        if existing.subscription_id.lower() == call.params["subscription"].lower():
            return ArmError(
                409,
                "StorageAccountAlreadyExists",
                f"The storage account named {existing.name} already exists under the subscription.",
            )
        return ArmError(
            409, "StorageAccountAlreadyTaken", f"The storage account named {existing.name} is already taken."
        )

    def _identity(self, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
        wanted = body.get("identity")
        if not wanted or "SystemAssigned" not in str(wanted.get("type")):
            return wanted or None
        principal = self._cloud.identity.new_principal(name)
        return {**wanted, "principalId": principal.object_id, "tenantId": self._cloud.identity.tenant_id}

    def _track(self, account: Account) -> None:
        self._cloud.resources.track(
            account.id, ACCOUNT_TYPE, account.location, account.tags, lambda: account_body(account)
        )

    def _remove(self, account: Account) -> None:
        self._accounts.pop(account.name, None)
        self._cloud.resources.forget(account.id)
        if account.identity is not None and "principalId" in account.identity:
            self._cloud.identity.remove_principal(account.identity["principalId"])
