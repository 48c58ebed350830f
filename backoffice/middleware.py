"""What no view has to think of: NUL characters, and the scripts of somebody signed out."""

from collections.abc import Callable

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.csrf import csrf_failure as django_csrf_failure


def is_unstorable(error: BaseException) -> bool:
    """Whether `error` says that PostgreSQL has no room for a character: NUL.

    Forms and serializers refuse it in the fields they know; addresses, filters and references get
    as far as the database.
    """
    return isinstance(error, DataError) and "NUL (0x00)" in str(error)


class UnstorableMiddleware:
    """Answers 400 instead of 500; the API says it in its own words (`backoffice.rest.problems`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_unstorable(error):
            return None
        return render(request, "400.html", status=400)


class SignedOutMiddleware:
    """Tells a page's script that its reader is signed out: 401 instead of the sign-in page.

    A script would follow the redirect and take the sign-in page for its answer. Browsers name what
    a script fetches in `Sec-Fetch-Dest` (https://www.w3.org/TR/fetch-metadata/).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_script(request) and _leads_to_sign_in(response):
            return HttpResponse(status=401)
        return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Signing in anew changes the token: pages opened before hold an old one."""
    if _is_script(request):
        return HttpResponse(status=401)
    return django_csrf_failure(request, reason=reason)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Dest") == "empty"


def _leads_to_sign_in(response: HttpResponse) -> bool:
    to = response.headers.get("Location", "").partition("?")[0]
    return to in {resolve_url(settings.LOGIN_URL), resolve_url("admin:login")}
