"""The directory: principals come and go, prove who they are, and call."""

from typing import TYPE_CHECKING

from simulator.arm.errors import ArmError
from simulator.arm.route import Principal
from simulator.http import Request, Response
from simulator.identity import sign_in, tokens
from simulator.identity.models import APP, OPERATOR, TENANT_ID, Entry

if TYPE_CHECKING:
    from simulator.cloud import Cloud


class Identity:
    """One tenant. `app` is the identity of the program under test, `operator` the one of a person or a test."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.tenant_id = TENANT_ID
        self.app = APP.principal
        self.operator = OPERATOR.principal
        self._entries = {entry.principal.object_id: entry for entry in (APP, OPERATOR)}

    def new_principal(self, display_name: str, kind: str = "ManagedIdentity", secret: str | None = None) -> Principal:
        """Enter a new principal into the directory; with a `secret` it can sign in."""
        principal = Principal(str(self._cloud.new_uuid()), str(self._cloud.new_uuid()), self.tenant_id)
        visible_at = self._cloud.clock.after(self._cloud.timings.directory_replication)
        self._entries[principal.object_id] = Entry(principal, display_name, kind, secret, visible_at)
        return principal

    def remove_principal(self, object_id: str) -> None:
        """Forget a principal; role assignments to it stay behind as orphans, as in Azure."""
        self._entries.pop(object_id.lower(), None)

    def principal_exists(self, object_id: str) -> bool:
        return object_id.lower() in self._entries

    def entry(self, object_id: str) -> Entry | None:
        return self._entries.get(object_id.lower())

    def entry_with_secret(self, secret: str) -> Entry | None:
        return next((entry for entry in self._entries.values() if entry.secret == secret), None)

    def entry_of_application(self, application_id: str) -> Entry | None:
        wanted = application_id.lower()
        return next((entry for entry in self._entries.values() if entry.principal.application_id == wanted), None)

    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def token(
        self,
        principal: Principal,
        audience: str = tokens.MANAGEMENT,
        *,
        lifetime_seconds: int = tokens.LIFETIME_SECONDS,
    ) -> str:
        """An access token for `principal` (wall-clock seconds of life: a token's life is not scaled)."""
        return tokens.issue(principal, audience, self._cloud.clock.now(), lifetime_seconds)

    def caller(self, request: Request) -> Principal:
        """Who calls ARM. Raises ArmError 401 when the token is missing, malformed, expired, for another audience or
        of a principal that is gone."""
        now = self._cloud.clock.now()
        object_id = tokens.object_id_for_management(request.headers.get("authorization"), request.base_url, now)
        entry = self.entry(object_id)
        if entry is None:
            raise ArmError(401, "InvalidAuthenticationToken", "The access token's principal is not in the directory.")
        return entry.principal

    def respond(self, request: Request) -> Response | None:
        """Answer the identity and sign-in endpoints; None when the path is none of theirs."""
        return sign_in.respond(self._cloud, request)
