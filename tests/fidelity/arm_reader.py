"""The simulated world as anyone with plain `requests` sees it over ARM."""

from typing import Any

import requests

from simulator.identity.models import OPERATOR
from tests.contract.simulator_program import Running

_SECONDS = 30


class ArmReader:
    """Reads as the operator, with a token of the App Service identity endpoint."""

    def __init__(self, running: Running) -> None:
        assert running.tls is not None
        assert OPERATOR.secret is not None
        self._arm, self._authority = running.endpoints["arm"], str(running.tls / "ca.pem")
        signed_in = self._answer(
            running.endpoints["identity"],
            {"api-version": "2019-08-01", "resource": "https://management.azure.com/"},
            {"X-IDENTITY-HEADER": OPERATOR.secret},
        )
        self._headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}

    def get(self, resource_id: str, version: str) -> Any:
        """The body of what must be there."""
        answer = self._answer(f"{self._arm}{resource_id}", {"api-version": version}, self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, resource_id: str, version: str) -> int:
        return self._answer(f"{self._arm}{resource_id}", {"api-version": version}, self._headers).status_code

    def callers(self, resource_id: str) -> set[str]:
        """The object ids of those who asked for this resource."""
        calls = self._answer(f"{self._arm}/simulator/calls", {}, {}).json()
        return {call["principal"] for call in calls if call["path"].lower() == resource_id.lower()}

    def take(self, **seconds: float) -> None:
        """How long things take in this Azure from now on."""
        with self._session() as session:
            answer = session.post(f"{self._arm}/simulator/timings", json=seconds, timeout=_SECONDS)
        assert answer.status_code == 200, answer.text

    def _answer(self, url: str, query: dict[str, str], headers: dict[str, str]) -> requests.Response:
        with self._session() as session:
            return session.get(url, params=query, headers=headers, timeout=_SECONDS)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.verify = self._authority
        session.trust_env = False  # else REQUESTS_CA_BUNDLE of this process would go before `verify`
        return session
