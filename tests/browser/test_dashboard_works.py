"""The table of clusters by mouse, keys, address and without JavaScript; its numbers against an independent count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page

from shared.domain.compliance import JudgedCluster
from shared.plan.compliance.catalogue import CONTROLS
from tests.browser.generated_fleet import Fleet, fleet_of, tally_of
from tests.browser.guarded_app import PAGE, GuardedApp, with_a_past
from tests.browser.visitor import Visitor, visiting

NAMES = ".clusters tbody th a"
FLEET = fleet_of(400)
CONTROL = CONTROLS[0].id
_ORDER = {"No": 0, "Unknown": 1, "Yes": 2, "Exempt": 3}


def fails(cluster: JudgedCluster, control: str) -> bool:
    return any(v.control == control and v.status in {"NonCompliant", "Unknown"} for v in cluster.verdicts)


@dataclass(frozen=True)
class Asked:
    """A view of the fleet, and what it must show: which clusters, in the order of what."""

    query: dict[str, str]
    fits: Callable[[JudgedCluster], bool] = lambda _: True
    key: Callable[[JudgedCluster], Any] = lambda cluster: cluster.score
    descending: bool = False


VIEWS = [
    Asked({}),
    Asked({"sort": "name"}, key=lambda c: c.name),
    Asked({"sort": "name", "descending": "1"}, key=lambda c: c.name, descending=True),
    Asked({"restorable": "No", "sort": "team"}, lambda c: c.restorable == "No", lambda c: c.team),
    Asked({"team": "search", "location": "eastus2"}, lambda c: c.team == "search" and c.location == "eastus2"),
    Asked({"team": "(none)", "sort": "location"}, lambda c: not c.team, lambda c: c.location),
    Asked(
        {"profile": "sandbox", "sort": "restorable"}, lambda c: c.profile == "sandbox", lambda c: _ORDER[c.restorable]
    ),
    Asked({"text": "payments west"}, lambda c: "payments" in c.name and "west" in c.name),
    Asked({"control": CONTROL, "sort": "name"}, lambda c: fails(c, CONTROL), lambda c: c.name),
]


@pytest.mark.parametrize("asked", VIEWS, ids=lambda asked: urlencode(asked.query) or "everything")
async def test_filters_and_sorting_show_what_a_count_by_hand_shows(browser: Browser, asked: Asked) -> None:
    wanted = [cluster for cluster in FLEET.clusters if asked.fits(cluster)]
    assert wanted
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        shown: list[str] = []
        for number in range(1, -(-len(wanted) // 200) + 1):
            await visitor.open(f"?{urlencode(asked.query | {'size': '200', 'page': str(number)})}")
            shown += await visitor.texts(NAMES)
        by_name = {cluster.name: cluster for cluster in FLEET.clusters}
        assert sorted(shown) == sorted(cluster.name for cluster in wanted)
        keys = [asked.key(by_name[name]) for name in shown]
        assert keys == sorted(keys, reverse=asked.descending)


async def test_the_numbers_are_those_of_the_fleet(browser: Browser) -> None:
    counted = tally_of(FLEET.clusters)
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        await visitor.open()
        assert await visitor.texts(".giant") == [str(counted.yes)]
        parts = [int(text.split()[-1]) for text in await visitor.texts(".parts li")]
        assert parts == [counted.yes, counted.no, counted.unknown, counted.exempt]
        regions = await visitor.texts("section[aria-labelledby=by-location] tbody tr")
        for region in {cluster.location for cluster in FLEET.clusters}:
            tally = tally_of(cluster for cluster in FLEET.clusters if cluster.location == region)
            [row] = [text for text in regions if text.startswith(region)]
            figures = row.removeprefix(region)
            assert figures == f"{tally.no}{tally.unknown}{tally.score:.0f}"


async def test_a_link_of_a_group_leads_to_its_clusters(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        page = await visitor.open()
        await page.get_by_role("link", name="search", exact=True).first.click()
        assert await page.input_value("select[name=team]") == "search"
        count = sum(cluster.team == "search" for cluster in FLEET.clusters)
        [said] = await visitor.texts("#clusters [role=status]")
        assert said == f"1 to 20 of {count} that fit"


async def test_the_address_holds_everything_a_person_chose(browser: Browser) -> None:
    app = await GuardedApp(FLEET).start()
    async with visiting(browser, app) as visitor:
        page = await visitor.open()
        await page.fill("input[name=text]", "aks")
        await page.press("input[name=text]", "Enter")
        await page.select_option("select[name=profile]", "standard")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.get_by_role("link", name="Team", exact=True).click()
        await page.get_by_role("link", name="Team", exact=True).click()
        await page.get_by_role("link", name="Next", exact=True).click()
        address, seen = page.url, await visitor.texts(NAMES)
    assert address == f"{PAGE}?text=aks&profile=standard&sort=team&descending=1&page=2#clusters"
    async with visiting(browser, app) as other:
        await other.page.goto(address)
        assert await other.texts(NAMES) == seen
        assert await other.page.locator("th[aria-sort=descending]").inner_text() == "Team↓"
        assert await other.page.input_value("input[name=text]") == "aks"


async def test_a_choice_with_the_mouse_asks_at_once(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        page = await visitor.open()
        select = page.locator("select[name=restorable]")
        await select.dispatch_event("pointerdown")
        await select.select_option("No")
        await page.wait_for_url("**restorable=No**")
        assert set(await visitor.texts(".clusters tbody td:nth-of-type(4)")) == {"✗ No"}
        await page.wait_for_function("document.activeElement.name === 'restorable'")


async def test_the_keys_reach_everything_and_one_sees_where_one_is(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        page = await visitor.open("?size=20")
        reached = await _tabbed(page, 250)
        assert reached[0] == "Skip to the content"
        for needed in ("text", "restorable", "team", "subscription", "location", "profile", "control", "Show"):
            assert needed in reached, needed
        for needed in ("Cluster", "Team", "Score", "Next", "Last", "Clusters", "Alerts"):
            assert any(name.startswith(needed) for name in reached), needed
        await page.get_by_role("link", name="Cluster", exact=True).focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**sort=name**")
        assert await page.locator("th[aria-sort=ascending]").inner_text() == "Cluster↑"


async def _tabbed(page: Page, most: int) -> list[str]:
    """What the Tab key stops at, in order; each stop must show that it is one."""
    found: list[str] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            """() => { const one = document.activeElement; const style = getComputedStyle(one);
            return one === document.body ? null : [one.name || one.textContent.trim() || one.ariaLabel,
                style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0]; }"""
        )
        if stop is None:
            break
        assert stop[1], f"nobody sees that {stop[0]} has the focus"
        found.append(stop[0])
    return found


async def test_without_javascript_everything_is_there(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start(), java_script_enabled=False) as visitor:
        page = await visitor.open()
        assert await page.locator("#sweeps tbody tr").first.is_visible()
        assert await page.locator("#sweeps tbody tr").count() == len(FLEET.summaries)
        await page.select_option("select[name=restorable]", "No")
        await page.get_by_role("button", name="Show", exact=True).click()
        assert "restorable=No" in page.url
        assert await page.locator(".clusters tbody tr").count() > 0


async def test_the_trend_is_drawn_from_the_table(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        page = await visitor.open()
        assert await page.locator(".chart canvas").count() == 1
        assert not await page.locator("#sweeps").is_visible()
        box = await page.locator(".chart .u-over").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
        newest = FLEET.summary.overall
        share = int(newest.yes / (newest.clusters - newest.exempt) * 1000) / 10
        [legend] = await visitor.texts(".u-legend")
        assert f"{share:.1f} %" in legend
        assert f"{newest.score:.1f}" in legend


async def test_a_cluster_has_its_story_and_its_evidence(browser: Browser) -> None:
    guard = GuardedApp(FLEET)
    cluster = next(cluster for cluster in FLEET.clusters if cluster.restorable == "No")
    await with_a_past(guard, [cluster.cluster_id])
    async with visiting(browser, await guard.start()) as visitor:
        page = await visitor.open(f"/cluster?id={cluster.cluster_id.upper()}")
        assert await visitor.texts("h1") == [cluster.name]
        problems = [v for v in cluster.verdicts if v.status in {"NonCompliant", "Unknown"}]
        assert await page.locator("article.verdict").count() == len(problems)
        times = await page.eval_on_selector_all(".timeline time", "all => all.map(one => one.dateTime)")
        assert times == sorted(times, reverse=True)
        assert {"Verdict", "Action", "Alert", "Memory", "Cure", "Backup", "Restore"} <= set(
            await visitor.texts(".timeline .kind")
        )
        evidence = "".join(await visitor.texts("#evidence"))
        for source in FLEET.summary.sources:
            assert all(request in evidence for request in source.request_ids)
        assert str(cluster.facts["latest_recovery_point"]) in evidence
        portal = await page.get_by_role("link", name="Open in the Azure portal").get_attribute("href")
        assert portal == f"https://portal.azure.com/#@/resource{cluster.cluster_id}"


async def test_a_cluster_younger_than_the_sweep_has_a_page_that_claims_nothing(browser: Browser) -> None:
    guard = GuardedApp(FLEET)
    new = FLEET.clusters[0].cluster_id.rpartition("/")[0] + "/aks-brand-new"
    await with_a_past(guard, [new])
    async with visiting(browser, await guard.start()) as visitor:
        page = await visitor.open(f"/cluster?id={new}")
        assert await visitor.texts("h1") == ["aks-brand-new"]
        assert await page.get_by_text("Nobody knows whether it could be restored today").count() == 1
        assert await page.get_by_text("The last sweep did not see this cluster").count() == 1
        assert "Memory" in await visitor.texts(".timeline .kind")
        assert await visitor.accessibility() == []


async def test_a_control_names_who_fails_it(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp(FLEET).start()) as visitor:
        await visitor.open(f"/control?id={CONTROL}")
        assert await visitor.texts("h1") == [CONTROLS[0].title]
        wanted = {cluster.name for cluster in FLEET.clusters if fails(cluster, CONTROL)}
        assert set(await visitor.texts("tbody th a")) == wanted


async def test_ten_thousand_clusters_stay_light(browser: Browser) -> None:
    fleet: Fleet = fleet_of(10_000)
    guard = GuardedApp(fleet)
    await with_a_past(guard, [cluster.cluster_id for cluster in fleet.clusters if cluster.restorable == "No"][:40])
    async with visiting(browser, await guard.start()) as visitor:
        page = await visitor.open()
        await page.wait_for_load_state("networkidle")
        sent: dict[str, int] = visitor.bytes_of
        assert sent["/api/dashboard"] < 60_000, sent
        assert sum(sent.values()) < 300_000, sent
        assert await page.locator(".clusters tbody tr").count() == 20
        await visitor.screenshot("overview-10000")
        await visitor.open("?page=500")
        assert await _last(visitor) == f"9,981 to 10,000 of {len(fleet.clusters):,}"


async def _last(visitor: Visitor) -> str:
    said: Sequence[str] = await visitor.texts("#clusters [role=status]")
    return said[0]
