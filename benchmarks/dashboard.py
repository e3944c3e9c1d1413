"""The dashboard over 10,000 clusters: time to first byte and weight of its pages.

The real app in this process without a socket, over storage in memory that holds rows as Table Storage does: unpacking
them is in the first request's time, the network to the storage is not."""

import asyncio
import gzip
import re
import statistics
import time
from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from benchmarks.report import Report, Sheet
from tests.browser.generated_fleet import fleet_of
from tests.browser.guarded_app import GuardedApp, client

SIZES = (1_000, 10_000)
ROUNDS = 7
_BASE = "/api/dashboard"
_ASSET = re.compile(r'(?:src|href)="(/api/dashboard/[^"?#]*\.(?:js|css|svg))')
_HTML = {"accept": "text/html"}


def measure() -> Report:
    runs = {size: asyncio.run(_looked_at(size)) for size in SIZES}
    rows: list[Sequence[str | float]] = [
        (page, size, *(figures[name] for name in ("cold_ms", "warm_ms", "html_kb", "gzip_kb")))
        for size, pages in runs.items()
        for page, figures in pages.items()
    ]
    return Report(
        {"pages": {str(size): pages for size, pages in runs.items()}},
        [
            Sheet(
                f"The dashboard, generated fleets (warm: median of {ROUNDS})",
                ("page", "clusters", "first byte, cold ms", "first byte, warm ms", "HTML KB", "gzip KB"),
                rows,
            )
        ],
        [
            "Cold: the page is the first one this app shows, with the sweep's clusters still to be read.",
            "`with assets`: the scripts, styles and images of the first page added, which browsers keep.",
        ],
    )


async def _looked_at(size: int) -> dict[str, dict[str, float]]:
    fleet = fleet_of(size)
    cluster = fleet.clusters[size // 2]
    pages = {
        "overview": _BASE,
        "overview, filtered and sorted": f"{_BASE}?team=payments&restorable=No&sort=score&page=2&size=100",
        "overview, searched": f"{_BASE}?text={cluster.name[-5:]}",
        "one cluster": f"{_BASE}/cluster?id={cluster.cluster_id}",
    }
    found = {}
    for name, path in pages.items():
        app = await GuardedApp(fleet).start()
        cold, _ = await _first_byte(app, path)
        warm = [await _first_byte(app, path) for _ in range(ROUNDS)]
        body = warm[0][1]
        found[name] = _figures(cold, statistics.median(seconds for seconds, _ in warm), [body])
        if name == "overview":
            assets = await _assets(app, body.decode())
            found["overview, with assets"] = _figures(cold, found[name]["warm_ms"] / 1000, [body, *assets])
    return found


def _figures(cold: float, warm: float, bodies: Sequence[bytes]) -> dict[str, Any]:
    return {
        "cold_ms": round(cold * 1000, 1),
        "warm_ms": round(warm * 1000, 1),
        "html_kb": round(sum(map(len, bodies)) / 1000, 1),
        "gzip_kb": round(sum(len(gzip.compress(body)) for body in bodies) / 1000, 1),
    }


async def _first_byte(app: FastAPI, path: str) -> tuple[float, bytes]:
    """Seconds until the answer begins, and the answer."""
    async with client(app) as http:
        started = time.perf_counter()
        async with http.stream("GET", path, headers=_HTML) as answer:
            seconds = time.perf_counter() - started
            body = await answer.aread()
    assert answer.status_code == httpx.codes.OK, (path, answer.status_code, body[:300])
    return seconds, body


async def _assets(app: FastAPI, html: str) -> list[bytes]:
    async with client(app) as http:
        answers = [await http.get(path) for path in dict.fromkeys(_ASSET.findall(html))]
    assert answers
    assert all(answer.status_code == httpx.codes.OK for answer in answers)
    return [answer.content for answer in answers]
