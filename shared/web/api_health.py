"""The whole report of the app's health, for those who may read. Anybody may see a part of it at /api/health."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from shared.health import health_of
from shared.report.json_models import Model
from shared.web.access import reader
from shared.web.api_errors import refusals

router = APIRouter(dependencies=[Depends(reader)], tags=["health"])


class SyntheticEventModel(Model):
    """The last event that somebody sent to see whether events arrive."""

    id: str = Field(examples=["5f3c1b9e8f5e4c1a9d550f1d6f2f7b11"])
    handled_at: datetime


class HealthModel(Model):
    """`problems` keep the app from working, `warnings` do not."""

    status: Literal["healthy", "unhealthy"] = Field(examples=["healthy"])
    version: str = Field(examples=["0.1.0"])
    revision: int | None = Field(None, description="Of guard.yaml; null when it cannot be read.", examples=[7])
    profiles: Mapping[str, str] | None = Field(None, description="Mode by name.", examples=[{"standard": "enforce"}])
    stopped: str | None = Field(None, description="Who stopped every change, and why.", examples=[None])
    synthetic_event: SyntheticEventModel | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@router.get("/health", responses=refusals())
async def health(request: Request) -> HealthModel:
    """Is the app able to work, and what keeps it from that? 200 also when it is not: `status` says so."""
    return HealthModel.model_validate(await health_of(request.app.state.world))
