"""Blob containers through ARM (`blobServices/default/containers`)."""

from collections.abc import Callable, Mapping
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.route import Call, Handler
from simulator.http import Response
from simulator.providers.storage.models import Account, Container
from simulator.providers.storage.responses import container_body
from simulator.providers.storage.rules import check_container_name

SETTINGS = ("metadata", "publicAccess", "defaultEncryptionScope", "denyEncryptionScopeOverride")


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a caller may set of a container."""
    return {name: value for name, value in (body.get("properties") or {}).items() if name in SETTINGS}


class Containers:
    """The containers of every account. `account_of` finds the account a call names or raises 404."""

    def __init__(self, account_of: Callable[[Call], Account]) -> None:
        self._account_of = account_of

    def handlers(self, account: str) -> list[tuple[str, str, Handler]]:
        containers = account + "/blobServices/default/containers"
        return [
            ("PUT", containers + "/{container}", self.put),
            ("PATCH", containers + "/{container}", self.patch),
            ("GET", containers + "/{container}", self.get),
            ("DELETE", containers + "/{container}", self.delete),
            ("GET", containers, self.list_all),
        ]

    def put(self, call: Call) -> Response:
        account, name = self._account_of(call), call.params["container"]
        check_container_name(name)
        if account.provisioning_state != "Succeeded":
            # assumed: the provider says so in the words it has for any call that meets a running write
            raise ArmError(
                409,
                "StorageAccountOperationInProgress",
                "An operation is currently performing on this storage account that requires exclusive access.",
            )
        properties = _settings(call.body() if call.request.body else {})
        if properties.get("publicAccess", "None") != "None" and not account.properties.get("allowBlobPublicAccess"):
            raise ArmError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
        container = account.containers.get(name)
        created = container is None
        if container is None:
            container = Container(call.resource_id, name, properties, "", call.cloud.clock.now())
            account.containers[name] = container
        self._write(call, container)
        container.properties |= properties
        return Response(201 if created else 200, container_body(container, full=False))

    def patch(self, call: Call) -> Response:
        container = self._container_of(call)
        container.properties |= _settings(call.body())
        self._write(call, container)
        return Response(200, container_body(container, full=False))

    def get(self, call: Call) -> Response:
        return Response(200, container_body(self._container_of(call), full=True))

    def list_all(self, call: Call) -> Response:
        account = self._account_of(call)
        return Response(200, {"value": [container_body(one, full=True) for one in account.containers.values()]})

    def delete(self, call: Call) -> Response:
        account = self._account_of(call)
        return Response(204 if account.containers.pop(call.params["container"], None) is None else 200)

    def _container_of(self, call: Call) -> Container:
        container = self._account_of(call).containers.get(call.params["container"])
        if container is None:
            raise ArmError(404, "ContainerNotFound", "The specified container does not exist.")
        return container

    def _write(self, call: Call, container: Container) -> None:
        container.last_modified = call.cloud.clock.now()
        container.etag = f'"0x{call.cloud.random.getrandbits(60):015X}"'
