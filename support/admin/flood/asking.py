"""Who may open the flood's doors, and how a verb's refusal is told."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from backoffice.states import MoveError


def need(request: HttpRequest, *permissions: str) -> Any:
    """The reader, who holds one of `permissions`.

    Raises:
        PermissionDenied: none of them.
    """
    if not any(request.user.has_perm(name) for name in permissions):
        raise PermissionDenied
    return request.user


def wrong_method(request: HttpRequest, *allowed: str) -> HttpResponse | None:
    return None if request.method in allowed else HttpResponseNotAllowed(allowed)


def refusal(verb: Callable[[], Any]) -> str:
    """Do it; why not, in the verb's own words, or nothing."""
    try:
        verb()
    except (MoveError, PermissionDenied) as error:
        return str(error)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def number_of(text: str | None) -> int:
    """A whole number that came in by a form, or 0."""
    return int(text) if text and text.isdecimal() and len(text) < 18 else 0  # noqa: PLR2004
