"""Who may look at more than whether it runs."""

import hmac

from django.conf import settings
from django.http import HttpRequest

SEE = "operation.view_heartbeat"


def may_look(request: HttpRequest) -> bool:
    """Whoever shows MONITORING_TOKEN, staff who may, and on a developer's machine anybody on it."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.MONITORING_TOKEN
    if wanted and hmac.compare_digest(token.encode(), wanted.encode()):
        return True
    if settings.LOCAL and not wanted and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}:
        return True
    return request.user.has_perm(SEE)
