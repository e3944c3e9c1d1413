"""A person with rights on the subscription: reads Azure to check on the Guard, and does things by hand."""

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from demo import rest
from simulator.identity.models import OPERATOR

CLUSTERS = "2026-08-01"
EXTENSIONS = "2025-03-01"
DATA_PROTECTION = "2026-06-01"
STORAGE = "2026-09-01"
ROLES = "2022-04-01"
RESOURCES = "2025-04-01"
EVENT_GRID = "2025-02-15"


class ArmRefusedError(RuntimeError):
    """ARM answered with an error where none was expected."""


class Operator:
    """ARM with the operator's own token, never the Guard's."""

    def __init__(self, arm: str, identity: str) -> None:
        self._arm, self._identity = arm, identity
        self._token = ""

    def get(self, path: str, api_version: str) -> Any:
        """The resource, None when ARM says there is none."""
        answer = self._call("GET", path, api_version)
        return None if answer.status == 404 else _good(answer, f"GET {path}").body

    def list(self, path: str, api_version: str) -> Iterator[dict[str, Any]]:
        """Every item of every page."""
        body = _good(self._call("GET", path, api_version), f"GET {path}").body
        while True:
            yield from body["value"]
            if not body.get("nextLink"):
                return
            link = urlsplit(body["nextLink"])
            answer = rest.call("GET", f"{self._arm}{link.path}?{link.query}", headers=self._headers())
            body = _good(answer, f"GET {link.path}").body

    def put(self, path: str, api_version: str, body: object) -> Any:
        return _good(self._call("PUT", path, api_version, body), f"PUT {path}").body

    def post(self, path: str, api_version: str, body: object = None) -> Any:
        return _good(self._call("POST", path, api_version, body), f"POST {path}").body

    def patch(self, path: str, api_version: str, body: object) -> Any:
        return _good(self._call("PATCH", path, api_version, body), f"PATCH {path}").body

    def delete(self, path: str, api_version: str) -> None:
        _good(self._call("DELETE", path, api_version), f"DELETE {path}")

    def grant(self, role: str, principal: str, scope: str) -> None:
        """`role` is the role definition's GUID. Granting twice is granting once."""
        subscription = "/".join(scope.split("/")[:3])
        definition = f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role}|{principal}")
        properties = {"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        self.put(path, ROLES, {"properties": properties})

    def wait_for(self, path: str, api_version: str, state: str, *, seconds: float = 60) -> Any:
        """Read until `properties` has the state. `state` is `key=value`."""
        key, _, wanted = state.partition("=")
        deadline = time.monotonic() + seconds
        while True:
            body = self.get(path, api_version)
            now = body["properties"].get(key) if body else "absent"
            if now == wanted:
                return body
            if now == "Failed" or time.monotonic() > deadline:
                raise ArmRefusedError(f"{path}: {key} is {now}, not {wanted}: {body}")
            time.sleep(0.2)

    def _call(self, method: str, path: str, api_version: str, body: object = None) -> rest.Answer:
        url = f"{self._arm}{quote(path, safe='/$')}?api-version={api_version}"
        while True:
            answer = rest.call(method, url, body, self._headers())
            if answer.status != 429:
                return answer
            time.sleep(float(answer.headers.get("retry-after", "1")))

    def _headers(self) -> Mapping[str, str]:
        if not self._token:
            url = f"{self._identity}?api-version=2019-08-01&resource=https://management.azure.com/"
            answer = rest.call("GET", url, headers={"X-IDENTITY-HEADER": OPERATOR.secret or ""})
            self._token = _good(answer, "GET token").body["access_token"]
        return {"Authorization": f"Bearer {self._token}"}


def _good(answer: rest.Answer, what: str) -> rest.Answer:
    if answer.status >= 400:
        raise ArmRefusedError(f"{what}: {answer.status} {answer.text[:500]}")
    return answer
