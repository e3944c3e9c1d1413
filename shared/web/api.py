"""`/api/v1`: what the Guard knows and does, for programs. docs/http-api.md tells of it."""

from typing import Any

from fastapi import APIRouter, Depends, Request

from shared.web import api_alerts, api_azure_monitor, api_clusters, api_health, api_orders, api_sweeps
from shared.web.access import reader

router = APIRouter(prefix="/api/v1")
router.include_router(api_sweeps.router)
router.include_router(api_clusters.router)
router.include_router(api_alerts.router)
router.include_router(api_orders.router)
router.include_router(api_health.router)
router.include_router(api_azure_monitor.router)


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(reader)])
async def openapi(request: Request) -> dict[str, Any]:
    """This API in OpenAPI's words."""
    described: dict[str, Any] = request.app.openapi()
    return described
