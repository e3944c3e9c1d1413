"""Queues and tables through ARM: that they are there, not what is in them.

Source: https://learn.microsoft.com/rest/api/storagerp/queue and …/table."""

import re
from collections.abc import Callable
from typing import Any

from simulator.arm.errors import ArmError, resource_not_found
from simulator.arm.paging import page
from simulator.arm.route import Call, Handler
from simulator.http import Response
from simulator.providers.storage.models import Account
from simulator.providers.storage.responses import ACCOUNT_TYPE

_NAMES = {
    "queues": re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*"),
    "tables": re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}"),
}
_KEPT = ("metadata", "signedIdentifiers")
_PAGE = 1000  # assumed


class Items:
    """The `queues` of the `queueServices` of every account, or the `tables` of their `tableServices`. `account_of`
    finds the account a call names or raises 404."""

    def __init__(self, service: str, kind: str, account_of: Callable[[Call], Account]) -> None:
        self._place, self._kind, self._account_of = f"{service}/default/{kind}", kind, account_of
        self._type = f"{ACCOUNT_TYPE}/{service}/{kind}"

    def handlers(self, account: str) -> list[tuple[str, str, Handler]]:
        root = f"{account}/{self._place}"
        one = root + "/{item}"
        return [
            ("GET", root, self._list),
            ("PUT", one, self._put),
            ("GET", one, self._get),
            ("DELETE", one, self._delete),
        ]

    def _list(self, call: Call) -> Response:
        return page(call, list(self._held(call).values()), _PAGE)

    def _put(self, call: Call) -> Response:
        name, held = call.params["item"], self._held(call)
        if not _NAMES[self._kind].fullmatch(name):
            raise ArmError(400, "InvalidResourceName", f"The name '{name}' is not valid.")  # assumed code
        sent = (call.body().get("properties") or {}) if call.request.body else {}
        properties: dict[str, Any] = {"tableName": name} if self._kind == "tables" else {}
        properties |= {key: sent[key] for key in _KEPT if key in sent}
        held[name.lower()] = {"id": call.resource_id, "name": name, "type": self._type, "properties": properties}
        return Response(200, held[name.lower()])

    def _get(self, call: Call) -> Response:
        name = call.params["item"]
        found = self._held(call).get(name.lower())
        if found is None:
            raise resource_not_found(f"{self._type}/{call.params['account']}/default/{name}", call.params["group"])
        return Response(200, found)

    def _delete(self, call: Call) -> Response:
        return Response(204 if self._held(call).pop(call.params["item"].lower(), None) is None else 200)

    def _held(self, call: Call) -> dict[str, dict[str, Any]]:
        return self._account_of(call).items.setdefault(self._kind, {})
