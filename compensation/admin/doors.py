"""A door to a verb: POST only, permission first, the verb's refusals told in its own words."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect

from backoffice.states import MoveError


def post_only(request: HttpRequest, permission: str) -> HttpResponse | None:
    """The answer to a wrong method, None to go on.

    Raises:
        PermissionDenied: the person lacks `permission`.
    """
    if not request.user.has_perm(permission):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    return None


def call(request: HttpRequest, verb: Callable[[], Any], said: str) -> bool:
    """Do it and say so; or say why not. Whether it was done."""
    try:
        verb()
    except (MoveError, PermissionDenied) as error:
        messages.error(request, str(error))
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    else:
        messages.success(request, said)
        return True
    return False


def back_to_batch(batch_id: int | None) -> HttpResponse:
    return redirect("admin:compensation_batch_change", batch_id)
