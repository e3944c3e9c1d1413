"""A person with a real browser. Every page that is opened is watched: what it asks for, what it complains about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, Route

from tests.browser.guarded_app import ORIGIN, client

CHECKOUT = Path(__file__).resolve().parents[2]
SCREENSHOTS = CHECKOUT / ".run" / "screenshots"
AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Visitor:
    """One browser context at the app's door. `complaints` must stay empty."""

    context: BrowserContext
    page: Page
    http: httpx.AsyncClient
    complaints: list[str] = field(default_factory=list)
    bytes_of: dict[str, int] = field(default_factory=dict)
    """What each address sent."""

    async def open(self, path: str = "") -> Page:
        await self.page.goto(f"{ORIGIN}/api/dashboard{path}")
        return self.page

    async def serve(self, route: Route) -> None:
        """The app answers in this process; whatever lies outside it is a complaint."""
        url = route.request.url
        if not url.startswith(f"{ORIGIN}/"):
            self.complaints.append(f"asked for {url}")
            await route.abort()
            return
        headers = {name: value for name, value in route.request.headers.items() if name != "host"}
        answer = await self.http.request(route.request.method, url, headers=headers)
        self.bytes_of[urlsplit(url).path] = len(answer.content)
        await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    async def accessibility(self) -> list[str]:
        """What axe finds wrong with the page as it is now."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = await self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", _RULES
        )
        return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]

    async def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    async def texts(self, selector: str) -> list[str]:
        found: list[str] = await self.page.eval_on_selector_all(
            selector, "all => all.map(one => one.textContent.trim())"
        )
        return found

    async def screenshot(self, name: str) -> None:
        """Test output for people: nothing is compared with it."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@asynccontextmanager
async def visiting(browser: Browser, app: FastAPI, *, width: int = 1280, **context: Any) -> AsyncIterator[Visitor]:
    """Ends with the proof that nothing was asked for outside the app, and nothing went wrong in the page."""
    opened = await browser.new_context(viewport={"width": width, "height": 900}, **context)
    async with client(app) as http:
        visitor = Visitor(opened, await opened.new_page(), http)
        await opened.route("**/*", visitor.serve)
        page = visitor.page
        page.on("console", lambda said: visitor.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("dialog", lambda dialog: visitor.complaints.append(f"a dialog: {dialog.message}"))
        try:
            yield visitor
        finally:
            await opened.close()
    assert visitor.complaints == []
