"""Creating that is safe to repeat: the same Idempotency-Key gets the same answer."""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.rest.models import ApiKey, IdempotentRequest
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
            pk = _claim(request, key)
            if pk is None:
                return _first_answer(request, key)
            response = action(view, request, *args, **kwargs)
            body = json.loads(view.get_renderers()[0].render(response.data) or "null")
            IdempotentRequest.objects.filter(pk=pk).update(status=response.status_code, body=body)
            return response

    wrapped.is_idempotent = True  # type: ignore[attr-defined]
    return wrapped


_CLAIM = """
    INSERT INTO rest_idempotentrequest (api_key_id, key, method, path, body_hash, created_at)
    VALUES (%s, %s, %s, %s, %s, now())
    ON CONFLICT (api_key_id, key) DO NOTHING
    RETURNING id
"""


def _claim(request: Request, key: str) -> int | None:
    """The id of this request's own record, where no other has the key.

    A second request with the key waits here for the first one's transaction; where that failed,
    its row is gone and the second one does the work.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [_caller(request).pk, key, *_likeness(request).values()])
        row = cursor.fetchone()
    return row[0] if row else None


def _first_answer(request: Request, key: str) -> Response:
    record = IdempotentRequest.objects.filter(api_key=_caller(request), key=key).first()
    if record is None or record.status is None:
        raise Conflict("The first request with this Idempotency-Key is still being worked on.")
    if any(getattr(record, name) != value for name, value in _likeness(request).items()):
        raise ValidationError(
            {"Idempotency-Key": "This key was used for another request: take a new one."}
        )
    return Response(record.body, status=record.status, headers={"Idempotent-Replayed": "true"})


def _caller(request: Request) -> ApiKey:
    """HasScope lets nothing in but API keys."""
    if not isinstance(request.auth, ApiKey):
        raise NotAuthenticated
    return request.auth


def _likeness(request: Request) -> dict[str, str]:
    """What a repetition has in common with the first request."""
    body = json.dumps(request.data, sort_keys=True, default=str).encode()
    return {
        "method": str(request.method),
        "path": request.path[:500],
        "body_hash": hashlib.sha256(body).hexdigest(),
    }
