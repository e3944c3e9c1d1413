"""What the pages are made with: templates, and the files a browser asks for beside the page."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import Request, Response
from jinja2 import Environment

from shared.report import pages
from shared.web.dashboard import query

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_YEAR = "private, max-age=31536000, immutable"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing written into a page can run, and nothing leaves the app."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """By file name. The palette is the report's, which the dashboard shares."""
    files = [file for folder in (_HERE / "static", pages.HERE) for file in sorted(folder.iterdir())]
    return {
        file.name: Asset(content := file.read_bytes(), _TYPES[file.suffix], hashlib.sha256(content).hexdigest()[:16])
        for file in files
        if file.suffix in _TYPES
    }


def address(name: str) -> str:
    """With the digest of the content, so that a browser may keep it for good."""
    return f"{query.BASE}/static/{name}?v={assets()[name].digest}"


def answer(name: str, request: Request) -> Response:
    """404 for what is none of ours; 304 when the browser has it."""
    asset = assets().get(name)
    if asset is None:
        return Response(status_code=404, headers=HEADERS)
    known = request.query_params.get("v") == asset.digest
    headers = {**HEADERS, "ETag": f'"{asset.digest}"', "Cache-Control": _YEAR if known else "private, no-cache"}
    if f'"{asset.digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


@cache
def templates() -> Environment:
    made = pages.environment(_HERE / "templates")
    made.globals |= {
        "APPROVE": "POST /api/v1/repairs/approve",
        "BASE": query.BASE,
        "EXPORT": "/api/v1/sweeps/latest/export",
        "SIZES": query.SIZES,
        "asset": address,
        "cluster_link": query.cluster_link,
        "control_link": query.control_link,
        "only": query.only,
    }
    return made


def page(template: str, status: int = 200, **shown: object) -> Response:
    return Response(
        templates().get_template(template).render(shown),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers=HEADERS,
    )
