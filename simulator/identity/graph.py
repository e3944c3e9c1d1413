"""The few Microsoft Graph reads that `az role assignment` makes to turn object ids into names and back."""

import re
from typing import TYPE_CHECKING, Any

from simulator.http import Request, Response
from simulator.identity.models import Entry

if TYPE_CHECKING:
    from simulator.cloud import Cloud

_NAME_FILTER = re.compile(r"servicePrincipalNames/any\(\w+:\s*\w+ eq '(?P<name>[^']*)'\)", re.IGNORECASE)
_FIELD_FILTER = re.compile(r"(?P<field>appId|displayName|id) eq '(?P<value>[^']*)'", re.IGNORECASE)


def respond(cloud: "Cloud", request: Request) -> Response:
    """Service principals by id, by filter, and `directoryObjects/getByIds`; everything else is unknown here."""
    parts = request.path.strip("/").split("/")[1:]
    match [part.lower() for part in parts]:
        case ["directoryobjects", "getbyids"]:
            wanted = [str(value).lower() for value in (request.json() or {}).get("ids", [])]
            found = [entry for entry in cloud.identity.entries() if entry.principal.object_id in wanted]
            return Response(200, {"value": [_entry(entry) for entry in found]})
        case ["serviceprincipals" | "directoryobjects", object_id]:
            entry = cloud.identity.entry(object_id)
            return Response(200, _entry(entry)) if entry else _not_found(object_id)
        case ["serviceprincipals"]:
            chosen = _matching(cloud.identity.entries(), request.query.get("$filter"))
            return Response(200, {"value": [_entry(entry) for entry in chosen]})
        case ["users" | "groups", *_]:
            return Response(200, {"value": []}) if len(parts) == 1 else _not_found(parts[1])
    return Response(501, {"error": {"code": "NotModelled", "message": "This part of Graph is not modelled."}})


def _matching(entries: list[Entry], expression: str | None) -> list[Entry]:
    principals = [entry for entry in entries if entry.kind != "User"]
    if not expression:
        return principals
    if named := _NAME_FILTER.search(expression):
        return [entry for entry in principals if entry.principal.application_id == named["name"].lower()]
    if field := _FIELD_FILTER.search(expression):
        key, value = field["field"].lower(), field["value"].lower()
        return [entry for entry in principals if _field(entry, key).lower() == value]
    return []


def _field(entry: Entry, key: str) -> str:
    fields = {"appid": entry.principal.application_id, "id": entry.principal.object_id}
    return fields.get(key, entry.display_name)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": entry.principal.object_id,
        "appId": entry.principal.application_id,
        "displayName": entry.display_name,
        "servicePrincipalType": entry.kind,
        "servicePrincipalNames": [entry.principal.application_id],
    }


def _not_found(name: str) -> Response:
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return Response(404, {"error": {"code": "Request_ResourceNotFound", "message": message}})
