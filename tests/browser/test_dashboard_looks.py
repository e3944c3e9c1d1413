"""The pages as people see them: light, dark, small, on paper, with a screen reader, and with names meant to do harm."""

import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser

from shared.plan.compliance.catalogue import CONTROLS
from shared.ports import RepairHold
from tests.browser.generated_fleet import HOSTILE, LAST_SWEEP, NOW, REVERSED, SCRIPT, fleet_of
from tests.browser.guarded_app import GuardedApp, with_a_past
from tests.browser.visitor import SCREENSHOTS, visiting

_A4 = 718
"""Pixels between the margins of a page of A4 (210 mm less 20, at 96 a inch)."""


async def fleet_with_a_past(*, hostile: bool = False, count: int = 300) -> tuple[GuardedApp, str]:
    """And the ARM id of a cluster that cannot be restored."""
    fleet = fleet_of(count, hostile=hostile)
    guard = GuardedApp(fleet)
    broken = [cluster.cluster_id for cluster in fleet.clusters if cluster.restorable == "No"][:8]
    if hostile:
        broken = [cluster.cluster_id for cluster in fleet.clusters if cluster.name in HOSTILE]
    await with_a_past(guard, broken, SCRIPT if hostile else "")
    return guard, broken[0]


def pages(cluster: str) -> dict[str, str]:
    return {
        "overview": "",
        "cluster": f"/cluster?id={cluster}",
        "control": f"/control?id={CONTROLS[0].id}",
        "controls": "/controls",
        "subscriptions": "/groups?by=subscription",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_read_every_page(browser: Browser, scheme: str) -> None:
    guard, cluster = await fleet_with_a_past()
    await guard.breaker.hold(RepairHold("one", LAST_SWEEP, 90, 300))
    app = await guard.start()
    async with visiting(browser, app, color_scheme=scheme) as visitor:
        for name, path in pages(cluster).items():
            await visitor.open(path)
            assert await visitor.accessibility() == [], name
            assert await visitor.overflow() <= 0, name
            await visitor.screenshot(f"{name}-{scheme}")


async def test_a_small_screen_shows_the_same(browser: Browser) -> None:
    guard, cluster = await fleet_with_a_past()
    async with visiting(browser, await guard.start(), width=390) as visitor:
        for name, path in pages(cluster).items():
            await visitor.open(path)
            assert await visitor.overflow() <= 0, name
            assert await visitor.accessibility() == [], name
            await visitor.screenshot(f"{name}-mobile")


@pytest.mark.parametrize("width", [390, 1280])
async def test_hostile_names_do_no_harm(browser: Browser, width: int) -> None:
    guard, cluster = await fleet_with_a_past(hostile=True)
    async with visiting(browser, await guard.start(), width=width) as visitor:
        for name, path in pages(cluster).items():
            page = await visitor.open(path)
            assert await page.title() != "owned", name
            assert await page.locator("main script, main img, main iframe, [onerror], [onmouseover]").count() == 0, name
            assert await visitor.overflow() <= 0, name
            await visitor.screenshot(f"hostile-{name}-{width}")
        await visitor.open("?sort=name")
        text = "".join(await visitor.texts("main"))
        assert SCRIPT in text
        await visitor.open("?sort=team&descending=1&size=200")
        text = "".join(await visitor.texts("main"))
        assert "\u202e" not in text
        assert (
            REVERSED.replace("\u202e", "⟨U+202E⟩").replace("\u2066", "⟨U+2066⟩").replace("\u200b", "⟨U+200B⟩") in text
        )


async def test_a_hostile_address_does_no_harm(browser: Browser) -> None:
    guard, _ = await fleet_with_a_past()
    async with visiting(browser, await guard.start()) as visitor:
        page = await visitor.open(
            "?text=%3Cscript%3Ealert(1)%3C/script%3E&team=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"
        )
        assert await page.locator("main script, main img").count() == 0
        assert await page.input_value("input[name=text]") == "<script>alert(1)</script>"
        assert await visitor.texts("#clusters [role=status]") == ["No cluster fits."]


async def test_it_prints_on_several_pages_and_cuts_nothing_off(browser: Browser) -> None:
    guard, cluster = await fleet_with_a_past()
    async with visiting(browser, await guard.start(), width=_A4) as visitor:
        page = visitor.page
        await page.emulate_media(media="print")
        for name, path in (("overview", "?size=100"), ("cluster", f"/cluster?id={cluster}")):
            await visitor.open(path)
            cut_off: list[str] = await page.evaluate(
                """() => [...document.querySelectorAll("main *")]
                .filter(one => getComputedStyle(one).overflowX !== "visible"
                    && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
                    && one.getClientRects().length && !one.classList.contains("hidden"))
                .map(one => one.outerHTML.slice(0, 120))"""
            )
            assert cut_off == [], name
            assert await visitor.overflow() <= 0, name
            shown = await page.locator("details").first.evaluate(
                "one => [...one.querySelectorAll('td')].every(cell => cell.getClientRects().length > 0)"
            )
            assert shown, "what is folded up is printed too"
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            await visitor.screenshot(f"{name}-print")
            printed = await page.pdf(path=SCREENSHOTS / f"{name}.pdf", format="A4", prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 2, name


async def test_before_the_first_sweep_nothing_is_claimed(browser: Browser) -> None:
    async with visiting(browser, await GuardedApp().start()) as visitor:
        page = await visitor.open()
        assert await visitor.texts("h1") == ["No sweep has ended yet"]
        assert await page.get_by_text("POST /admin/functions/compliance_sweep").count() == 1
        assert await visitor.accessibility() == []
        await visitor.screenshot("before-the-first-sweep")


async def test_what_needs_a_person_stands_at_the_top(browser: Browser) -> None:
    guard, _ = await fleet_with_a_past()
    guard.stopped = True
    await guard.breaker.hold(RepairHold("one", LAST_SWEEP, 90, 300))
    assert guard.fleet is not None
    ended = NOW.replace(day=NOW.day - 2)
    guard.fleet = replace(guard.fleet, summary=replace(guard.fleet.summary, ended_at=ended))
    async with visiting(browser, await guard.start()) as visitor:
        await visitor.open()
        titles = await visitor.texts(".notice b")
        assert titles == [
            "The emergency stop is in force",
            "Repairs are held",
            "This is an old sweep",
            "Not everything could be asked",
        ]
        [held] = [text for text in await visitor.texts(".notice") if text.startswith("Repairs are held")]
        assert "90 of 300 clusters" in held
        assert "POST /api/v1/repairs/approve" in held
