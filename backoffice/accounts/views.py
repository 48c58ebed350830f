"""Where people go after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


@login_required
def after_sign_in(request: HttpRequest) -> HttpResponse:
    """Staff to the admin, everybody else to their account pages."""
    if request.user.is_staff:
        return redirect("admin:index")
    return redirect("portal-home")
