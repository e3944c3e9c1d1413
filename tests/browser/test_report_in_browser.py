"""The HTML report as an auditor gets it: one file, opened from a disk without a network."""

import re
from pathlib import Path

from playwright.async_api import Browser, Route

from shared.plan.compliance.catalogue import CONTROLS, FLEET_CONTROLS
from shared.report import html
from shared.report.snapshot import Snapshot
from tests.browser.generated_fleet import HOSTILE, SCRIPT, Fleet, fleet_of
from tests.browser.visitor import AXE, SCREENSHOTS

ALL_CONTROLS = (*CONTROLS, *FLEET_CONTROLS)


def report_of(fleet: Fleet) -> str:
    snapshot = Snapshot(fleet.summary, fleet.clusters)
    return html.render(snapshot, ALL_CONTROLS, summaries=fleet.summaries, changes=fleet.changes)


async def test_it_needs_nothing_but_itself_and_everybody_can_read_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_of(fleet_of(60, hostile=True)), encoding="utf-8")
    complaints: list[str] = []

    async def refuse(route: Route) -> None:
        complaints.append(f"asked for {route.request.url}")
        await route.abort()

    for scheme in ("light", "dark"):
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 900})
        await context.route(re.compile("^(?!file:)"), refuse)
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        await page.goto(file.as_uri())
        assert await page.locator("script, img, link, iframe, [onerror], [onmouseover]").count() == 0
        assert await page.title() != "owned"
        await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(
            path=SCREENSHOTS / f"report-{scheme}.png",
            clip={"x": 0, "y": 0, "width": 1100, "height": 2400},
            full_page=True,
        )
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await page.evaluate("axe.run()")
        assert [(one["id"], one["nodes"][0]["html"][:150]) for one in found["violations"]] == []
        await context.close()
    assert complaints == []


async def test_every_verdict_is_there_with_what_it_rests_on(browser: Browser) -> None:
    fleet = fleet_of(40)
    written = report_of(fleet)
    page = await browser.new_page()
    await page.set_content(written)
    texts: list[str] = await page.eval_on_selector_all(".cluster", "all => all.map(one => one.textContent)")
    titles = {control.id: control.title for control in ALL_CONTROLS}
    assert len(texts) == len(fleet.clusters)
    for cluster, text in zip(fleet.clusters, texts, strict=True):
        assert cluster.cluster_id in text
        for verdict in cluster.verdicts:
            assert (verdict.control if verdict.status == "Compliant" else titles[verdict.control]) in text
            assert verdict.message in text
        for name, value in cluster.facts.items():
            assert name in text
            assert value is None or isinstance(value, tuple) or str(value) in text
    whole = await page.locator("main").inner_text()
    for source in fleet.summary.sources:
        assert all(request in whole for request in source.request_ids)
    assert all(finding.subject in whole for finding in fleet.summary.findings)
    await page.close()


def test_hostile_text_is_text() -> None:
    written = report_of(fleet_of(30, hostile=True))
    assert "<script" not in written
    assert "&lt;script&gt;" in written
    assert "\u202e" not in written
    assert SCRIPT in HOSTILE


def test_one_sweep_alone_is_no_trend() -> None:
    fleet = fleet_of(5, sweeps=1)
    assert "There is one sweep so far." in report_of(fleet)
    assert "<polyline" not in report_of(fleet)
    assert "<polyline" in report_of(fleet_of(5, sweeps=3))
