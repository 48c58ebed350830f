"""What every door of the queue page asks first, and where it leads back to."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


def need(request: HttpRequest, permission: str) -> Any:
    """The signed-in person, who must have `permission`: else PermissionDenied is raised."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return request.user


def to_queue(query: str = "") -> HttpResponse:
    """Back to the queue page as it was."""
    address = reverse("admin:support_ticket_changelist")
    return redirect(f"{address}?{query}" if query else address)
