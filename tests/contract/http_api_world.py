"""A small judged fleet behind the HTTP API: fakes of storage that behave, and the app as Azure or a laptop runs it."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from shared.domain.compliance import (
    Finding,
    JudgedCluster,
    Repairs,
    SweepSummary,
    Tally,
    Verdict,
    VerdictChange,
)
from shared.domain.fleet import Source
from shared.domain.sweeps import Batch
from shared.plan.compliance.control import COMPLIANT, Control
from shared.report.snapshot import Snapshot
from shared.settings import Hosting
from shared.web.access import OPERATOR, PRINCIPAL, READER
from shared.web.app import create_app
from shared.world import World
from tests.virtual.azure import SUBSCRIPTION
from tests.virtual.world import VirtualWorld

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When virtual time begins."""
SWEEP_ID = "20260301T040000Z-abcd"
OTHER = "00000000-0000-0000-0000-0000000000bb"
HERE = Hosting(deployed=False, authenticated=False)
IN_AZURE = Hosting(deployed=True, authenticated=True)
OPEN_TO_ALL = Hosting(deployed=True, authenticated=False)
LOCALHOST = "http://localhost:7071"

HOSTILE = (
    '=HYPERLINK("http://evil.example","x")',
    "+1-2",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r\n=1+1",
    "＝1+1",
    "<script>alert(1)</script>",
    "a | b | c\n| d |",
    "`x` **y** [z](javascript:alert(1)) ![i](http://evil.example/i.png)",
    "]]> & \x00 \x1b[31m \ufffe",
    "\u202egnp.exe",
    '", "b": 1, "',
    "https://evil.example www.evil.example @everyone #1",
    "n" * 250,
    "\n\n# heading\n\n- item",
)


def arm_id(name: str, subscription: str = SUBSCRIPTION, group: str = "apps") -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/"
        f"Microsoft.ContainerService/managedClusters/{name}"
    )


def judged(short: str, **changes: Any) -> JudgedCluster:
    """A cluster that complies with everything, but for the changes."""
    told: dict[str, Any] = {
        "cluster_id": arm_id(short, changes.get("subscription_id", SUBSCRIPTION)),
        "name": short,
        "subscription_id": SUBSCRIPTION,
        "resource_group": "apps",
        "location": "westeurope",
        "team": "blue",
        "profile": "standard",
        "mode": "enforce",
        "verdicts": (Verdict("protected-by-an-instance", "Compliant", "Critical"),),
        "facts": {
            "instances": ("/vault/instance",),
            "instance": "/vault/instance",
            "protection_state": "ProtectionConfigured",
        },
        "score": 100.0,
        "restorable": "Yes",
        "judged_at": NOW - timedelta(hours=8),
    }
    return JudgedCluster(**told | changes)


def hostile_clusters() -> tuple[JudgedCluster, ...]:
    """One for each hostile text, which is everywhere where Azure lets people write."""
    return tuple(
        judged(
            f"hostile-{number}",
            name=text,
            team=text,
            resource_group=text,
            verdicts=(
                Verdict("protected-by-an-instance", "NonCompliant", "Critical", text, text, text, NOW),
                Verdict("own-control", "Unknown", "Warning", "R", text, text, NOW),
            ),
            facts={"instances": (text,), "instance": text, "protection_state": None, text: text},
            score=0.0,
            restorable="No",
            remaining=(text,),
        )
        for number, text in enumerate(HOSTILE)
    )


_PROTECTED = "protected-by-an-instance"
_PROTECTION = Control(
    _PROTECTED,
    "A backup instance protects the cluster",
    "Without one there are no recovery points at all.",
    "Protect it.",
    "Critical",
    True,
    ("instances", "instance", "protection_state"),
    lambda posture: COMPLIANT,
)
CONTROLS = (
    _PROTECTION,
    replace(_PROTECTION, id="extension-healthy", title="The extension works", rests_on=("extension_state",)),
    replace(_PROTECTION, id="own-control", title="One of people's own, by a query", rests_on=()),
    replace(_PROTECTION, id="orphaned-instance", title="No backup instance is left over", rests_on=()),
)
CLUSTERS = (
    judged("beta", team="red", location="northeurope"),
    judged(
        "alpha",
        verdicts=(
            Verdict(
                _PROTECTED, "NonCompliant", "Critical", "NotProtected", "There is none.", "Do it.", NOW - timedelta(3)
            ),
            Verdict("extension-healthy", "Unknown", "Error", "Unobserved", "Not read.", "", NOW - timedelta(9)),
        ),
        facts={"instances": (), "instance": None, "protection_state": None, "extension_state": None},
        score=10.0,
        restorable="No",
        remaining=("CreateBackupInstance",),
    ),
    judged(
        "gamma",
        subscription_id=OTHER,
        team="",
        verdicts=(Verdict(_PROTECTED, "Exempt", "Critical", "Exempted", "A test.", "", None, NOW + timedelta(9)),),
        score=0.0,
        restorable="Exempt",
    ),
)
FINDING = Finding("orphaned-instance", "/vault/orphan", "NonCompliant", "Warning", "Orphaned", "Its cluster is gone.")
SOURCES = (
    Source("clusters", NOW - timedelta(hours=8), ("id-clusters",), 3),
    Source("instances", NOW - timedelta(hours=8), ("id-1", "id-2"), 2),
    Source("extensions", NOW - timedelta(hours=8), (), 0, "429 TooManyRequests"),
)


def summary_of(clusters: Sequence[JudgedCluster] = CLUSTERS, **changes: Any) -> SweepSummary:
    told: dict[str, Any] = {
        "sweep_id": SWEEP_ID,
        "started_at": NOW - timedelta(hours=8),
        "ended_at": NOW - timedelta(hours=8) + timedelta(seconds=30),
        "configuration_revision": 1,
        "overall": Tally(len(clusters), 1, 1, 0, 1, 55.0),
        "by_team": {"red": Tally(1, 1, score=100.0), "blue": Tally(1, no=1, score=10.0), "": Tally(1, exempt=1)},
        "by_subscription": {SUBSCRIPTION: Tally(2, 1, 1, score=55.0), OTHER: Tally(1, exempt=1)},
        "by_location": {"westeurope": Tally(2, no=1, exempt=1, score=10.0), "northeurope": Tally(1, 1, score=100.0)},
        "by_profile": {"standard": Tally(3, 1, 1, 0, 1, 55.0)},
        "by_control": {"protected-by-an-instance": {"Compliant": 1, "NonCompliant": 1, "Exempt": 1}},
        "subscription_names": {SUBSCRIPTION: "Production", OTHER: "Sandbox"},
        "findings": (FINDING,),
        "sources": SOURCES,
        "calls": 12,
        "changes": 1,
        "repairs": Repairs(1, 0, "too much of the fleet would change at once"),
    }
    return SweepSummary(**told | changes)


CHANGE = VerdictChange(
    SWEEP_ID, NOW - timedelta(hours=8), arm_id("alpha"), "alpha", "blue", "protected-by-an-instance",
    "Compliant", "NonCompliant", "NotProtected", "There is none.",
)  # fmt: skip


def snapshot_of(clusters: Sequence[JudgedCluster] = CLUSTERS, **changes: Any) -> Snapshot:
    return Snapshot(summary_of(clusters, **changes), tuple(clusters))


async def keep(world: World, snapshot: Snapshot, changes: Sequence[VerdictChange] = (CHANGE,)) -> None:
    """As a finished sweep."""
    sweep_id = snapshot.summary.sweep_id
    pages, change_pages = await world.sweeps.write_batch(sweep_id, 0, snapshot.clusters, changes)
    await world.sweeps.finish(snapshot.summary, (Batch((SUBSCRIPTION, OTHER), "", pages, change_pages),))


def principal(*roles: str, name: str = "ada@contoso.com", **changes: Any) -> dict[str, str]:
    """The header as App Service sets it."""
    role = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    claims = [{"typ": "preferred_username", "val": name}, *({"typ": "roles", "val": each} for each in roles)]
    told = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": role} | changes
    return {PRINCIPAL: base64.b64encode(json.dumps(told).encode()).decode()}


AS_READER, AS_OPERATOR, AS_NOBODY = principal(READER), principal(OPERATOR), principal("Another.Role")


@dataclass
class Api:
    """The app of one host, and what it works with."""

    hosting: Hosting = HERE
    virtual: VirtualWorld = field(default_factory=VirtualWorld)

    def __post_init__(self) -> None:
        self.app: FastAPI = create_app(self._world, self.hosting)

    @property
    def world(self) -> World:
        return replace(self.virtual.host, controls=CONTROLS)

    async def _world(self) -> World:
        return self.world

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        base_url: str = LOCALHOST,
        content: bytes | str | None = None,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            if content is not None:
                return await client.request(method, path, content=content, headers=headers)
            return await client.request(method, path, json=body, headers=headers)

    async def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=LOCALHOST) as client:
            return await client.get(f"/api/v1{path}", params=query or None, headers=headers)

    async def post(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.call("POST", f"/api/v1{path}", {} if body is None else body, headers)
