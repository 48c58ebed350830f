"""Creating that is safe to repeat: the same Idempotency-Key gets the same answer."""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.rest.models import IdempotentRequest
from backoffice.rest.problems import Conflict

Action = Callable[..., Response]


def idempotent(action: Action) -> Action:
    """Give a repeated request (same key, Idempotency-Key, path and body) its first answer.

    Raises:
        ValidationError: the key is too long, or was used for another request.
        Conflict: the first request with this key is still being worked on.
    """

    @functools.wraps(action)
    def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return action(view, request, *args, **kwargs)
        if len(key) > 255:  # noqa: PLR2004
            raise ValidationError({"Idempotency-Key": "Use at most 255 characters."})
        with transaction.atomic():
            record = _claim(request, key)
            if record.status is not None:
                return Response(
                    record.body, status=record.status, headers={"Idempotent-Replayed": "true"}
                )
            response = action(view, request, *args, **kwargs)
            record.status = response.status_code
            record.body = json.loads(view.get_renderers()[0].render(response.data) or "null")
            record.save(update_fields=["status", "body"])
            return response

    wrapped.is_idempotent = True  # type: ignore[attr-defined]
    return wrapped


def _claim(request: Request, key: str) -> IdempotentRequest:
    """The stored request of this key, made now if it is new. Locked until the answer is stored.

    A second request with the key waits here for the first one's transaction; where that failed,
    its row is gone and the second one does the work.
    """
    body = json.dumps(request.data, sort_keys=True, default=str).encode()
    fresh = {
        "method": str(request.method),
        "path": request.path[:500],
        "body_hash": hashlib.sha256(body).hexdigest(),
    }
    record, created = IdempotentRequest.objects.get_or_create(
        api_key=request.auth,  # type: ignore[misc] # HasScope lets API keys in only
        key=key,
        defaults=fresh,
    )
    if created:
        return record
    if any(getattr(record, name) != value for name, value in fresh.items()):
        raise ValidationError(
            {"Idempotency-Key": "This key was used for another request: take a new one."}
        )
    if record.status is None:
        raise Conflict("The first request with this Idempotency-Key is still being worked on.")
    return record
