"""How often one key may call."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from backoffice.rest.models import ApiKey


class KeyThrottle(SimpleRateThrottle):
    """Counts by key, and by address where no key was shown."""

    scope = "key"

    def get_cache_key(self, request: Request, view: Any) -> str:
        ident = request.auth.prefix if isinstance(request.auth, ApiKey) else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
