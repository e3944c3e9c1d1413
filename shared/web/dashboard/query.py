"""The table of clusters as the address names it: everything a person chose stands in the query string."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import quote, urlencode

from shared.report.view import InvalidViewError, View

BASE = "/api/dashboard"
SIZES = (20, 50, 100, 200)
_DEFAULT = replace(View(), size=SIZES[0])
_TEXTS = ("text", "team", "subscription", "location", "profile", "restorable", "control", "status", "sort")
_LONGEST = 300
"""Characters of one value: no name in Azure, and no tag's value, is longer."""


def view_of(query: Mapping[str, str]) -> View:
    """What the address asks for. What makes no sense there is as if it were not said: it may be an old bookmark."""
    asked: dict[str, Any] = {
        name: query[name].strip()[:_LONGEST] for name in _TEXTS if name in query and query[name].strip()
    }
    size = _whole(query.get("size"), _DEFAULT.size)
    asked["descending"] = query.get("descending") in {"1", "true"}
    asked["page"] = max(1, _whole(query.get("page"), 1))
    asked["size"] = size if size in SIZES else _DEFAULT.size
    while True:
        try:
            return View(**asked)
        except InvalidViewError as error:
            del asked[error.field]


def said(view: View) -> dict[str, str]:
    """The view as a query string's parts, without what is so anyway."""
    parts = {field.name: getattr(view, field.name) for field in fields(View)}
    usual = {field.name: getattr(_DEFAULT, field.name) for field in fields(View)}
    return {name: "1" if value is True else str(value) for name, value in parts.items() if value != usual[name]}


def link(view: View, **changes: object) -> str:
    """The overview with this table; a change of anything but the page begins at the first page."""
    changed = replace(view, **({"page": 1} | changes))  # type: ignore[arg-type]
    query = urlencode(said(changed), quote_via=quote)
    return f"{BASE}?{query}#clusters" if query else f"{BASE}#clusters"


def only(**chosen: str) -> str:
    """The overview with nothing chosen but this."""
    return link(_DEFAULT, **chosen)


def cluster_link(arm_id: str) -> str:
    return f"{BASE}/cluster?id={quote(arm_id, safe='/')}"


def control_link(control: str) -> str:
    return f"{BASE}/control?id={quote(control)}"


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else otherwise
