"""Who may look at more than whether it runs."""

import hmac

from django.conf import settings
from django.http import HttpRequest

SEE = "operation.view_heartbeat"


def may_look(request: HttpRequest) -> bool:
    """Whoever shows MONITORING_TOKEN, and staff who may. Where it comes from proves nothing."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.MONITORING_TOKEN
    if wanted and hmac.compare_digest(token.encode(), wanted.encode()):
        return True
    return request.user.has_perm(SEE)
