"""What the dashboard answers beside its pages: headers, files, refusals, and when storage is down."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.alerts import Alert
from shared.domain.compliance import SweepSummary
from shared.domain.errors import TransientError
from shared.settings import Hosting
from shared.web.dashboard import assets
from shared.web.dashboard.query import link, said, view_of
from tests.browser.generated_fleet import fleet_of
from tests.browser.guarded_app import GuardedApp, client
from tests.fakes.storage import FakeAlertBook

CHECKOUT = Path(__file__).resolve().parents[2]
DASHBOARD = "/api/dashboard"


class BrokenAlerts(FakeAlertBook):
    """The table cannot be read."""

    async def all_of(self, subject: str | None = None, *, open_only: bool = False) -> AsyncIterator[Alert]:
        raise TransientError("StorageUnavailable", "the table alerts gives no answer")
        yield  # pragma: no cover


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css"])
def test_the_chart_library_is_shipped_as_it_was_published(name: str) -> None:
    published = CHECKOUT / "node_modules" / "uplot"
    assert assets.assets()[name].content == (published / "dist" / name).read_bytes()
    shipped = Path(assets.__file__).parent / "static" / "uPlot.LICENSE.txt"
    assert shipped.read_bytes() == (published / "LICENSE").read_bytes()


async def test_nothing_written_into_a_page_could_run() -> None:
    app = await GuardedApp(fleet_of(30)).start()
    async with client(app) as http:
        answer = await http.get(DASHBOARD)
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "style=" not in answer.text
        assert "<script>" not in answer.text


async def test_files_are_kept_for_good_and_never_served_stale() -> None:
    app = await GuardedApp().start()
    async with client(app) as http:
        address = assets.address("dashboard.css")
        first = await http.get(address)
        assert first.status_code == 200
        assert "immutable" in first.headers["cache-control"]
        again = await http.get(address, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        without = await http.get(f"{DASHBOARD}/static/dashboard.css")
        assert without.headers["cache-control"] == "private, no-cache"
        assert (await http.get(f"{DASHBOARD}/static/..%2froutes.py")).status_code == 404
        assert (await http.get(f"{DASHBOARD}/static/uPlot.LICENSE.txt")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/cluster?id=/nobody", "/cluster", "/control?id=none", "/groups?by=colour", "/nothing/at/all"]
)
async def test_what_is_not_there_is_a_page_that_says_so(path: str) -> None:
    app = await GuardedApp(fleet_of(30)).start()
    async with client(app) as http:
        answer = await http.get(DASHBOARD + path)
        assert answer.status_code == 404
        assert "To the overview" in answer.text


@pytest.mark.parametrize("path", ["", "/cluster?id=/x", "/control?id=protected", "/controls", "/groups?by=team"])
async def test_only_who_may_read_sees_anything(path: str) -> None:
    principal = {"auth_typ": "aad", "claims": [{"typ": "name", "val": "Somebody"}]}
    header = base64.b64encode(json.dumps(principal).encode()).decode()
    guard = GuardedApp(fleet_of(30))
    app = await guard.start()
    app.state.hosting = Hosting(deployed=True, authenticated=True)
    async with client(app) as http:
        nobody = await http.get(DASHBOARD + path)
        roleless = await http.get(DASHBOARD + path, headers={"x-ms-client-principal": header})
    assert (nobody.status_code, roleless.status_code) == (401, 403)
    for answer in (nobody, roleless):
        assert all(cluster.name not in answer.text for cluster in guard.fleet.clusters)  # type: ignore[union-attr]


async def test_a_table_that_cannot_be_read_leaves_the_rest_of_the_page() -> None:
    app = await GuardedApp(fleet_of(30), alerts=BrokenAlerts()).start()
    async with client(app) as http:
        answer = await http.get(DASHBOARD)
    assert answer.status_code == 200
    assert "They cannot be read at the moment: StorageUnavailable: the table alerts gives no answer" in answer.text
    assert "clusters could be restored today" in answer.text


async def test_without_the_sweeps_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = GuardedApp(fleet_of(30))
    app = await guard.start()

    async def down() -> SweepSummary | None:
        raise TransientError("StorageUnavailable", "the table sweeps gives no answer")

    monkeypatch.setattr(guard.sweeps, "latest", down)
    async with client(app) as http:
        answer = await http.get(DASHBOARD)
    assert answer.status_code == 503
    assert "No sweep has ended yet" not in answer.text
    assert "the table sweeps gives no answer" in answer.text


async def test_what_is_no_step_is_not_told_as_one() -> None:
    """An obstacle, or what Azure must end, is nothing that the Guard would do next."""
    guard = GuardedApp(fleet_of(30))
    assert guard.fleet is not None
    first, second, *rest = guard.fleet.clusters
    left = (replace(first, remaining=("GrantRole:a|b",)), replace(second, remaining=("NoX86LinuxPool",)))
    others = (replace(each, remaining=()) for each in rest)
    guard.fleet = replace(guard.fleet, clusters=(*left, *others))
    app = await guard.start()
    async with client(app) as http:
        lately = (await http.get(DASHBOARD)).text.partition("What it would do next")[2]
    steps, _, awaited = lately.partition("What it waits for")
    assert ("give the role b at somewhere to a" not in awaited, "x86" in steps, "x86" in awaited) == (True, False, True)
    assert "give the roles that are missing" in steps


def test_an_address_comes_back_as_it_was() -> None:
    query = {"text": "a&b=c #1", "team": "r/d", "sort": "name", "descending": "1", "page": "3", "size": "50"}
    assert said(view_of(query)) == query
    assert "text=a%26b%3Dc%20%231" in link(view_of(query))


@pytest.mark.parametrize(
    "query",
    [
        {"page": "x"},
        {"page": "-1"},
        {"page": "99999999999999999999"},
        {"size": "7"},
        {"sort": "colour"},
        {"restorable": "Maybe", "sort": "nothing"},
        {"descending": "yes"},
        {"unheard": "of"},
    ],
)
def test_what_makes_no_sense_in_an_address_is_as_if_it_were_not_said(query: dict[str, str]) -> None:
    assert view_of(query) == view_of({})
