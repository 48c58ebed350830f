"""The doors of monitoring."""

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from health_check.base import HealthCheckResult
from health_check.views import HealthCheckView
from prometheus_client import CONTENT_TYPE_LATEST

from backoffice.operation.authority import may_look
from backoffice.operation.checks import ALL, READY, Check
from backoffice.operation.metrics import exposition

UNWELL = 503


@never_cache
@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """Liveness: the process answers. It asks nobody, or a slow database would get it killed."""
    return HttpResponse("alive\n", content_type="text/plain")


class Ready(HealthCheckView):  # type: ignore[misc] # has no types
    """Readiness: pages can be served. To the outside it says yes or no."""

    checks: tuple[type[Check], ...] = READY
    words = ("ready", "not ready")
    is_open = True

    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        may = await sync_to_async(may_look)(request)
        if not (may or self.is_open):
            raise PermissionDenied
        results = await asyncio.gather(*(check.get_result() for check in self.get_checks()))
        is_well = not any(result.error for result in results)
        said: dict[str, Any] = {"status": self.words[0 if is_well else 1]}
        if may:
            said["checks"] = {result.check.title: _told(result) for result in results}
        return JsonResponse(said, status=200 if is_well else UNWELL)


class Health(Ready):
    """Everything that should run does. For monitoring only."""

    checks = ALL
    words = ("well", "unwell")
    is_open = False


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    if not may_look(request):
        raise PermissionDenied
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _told(result: HealthCheckResult) -> str:
    return str(result.error.message) if result.error else "ok"
