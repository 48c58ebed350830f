"""Who may see a customer's account pages: the holder of a one-time link, or a signed-in contact.

A link carries a random token that works once and soon; it opens a visit, whose own secret is
in a cookie of the account pages. Of both, only SHA-256 hashes are stored: they are random enough
that nothing slower is needed.
"""

import functools
import hashlib
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.shortcuts import resolve_url
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from backoffice.customers.models import Contact, Customer, PortalSession

COOKIE = "amends_portal"
COOKIE_PATH = "/account/"
_IS_URL = URLValidator(schemes=["http", "https"])

View = Callable[..., HttpResponse]


class PortalLinkError(Exception):
    """The link was used already, has expired, or never was."""


# --- one-time links ----------------------------------------------------------------------------


def open_session(
    customer: Customer, *, created_by: str, return_url: str = ""
) -> tuple[PortalSession, str]:
    """A new one-time link to `customer`'s account pages, and its address.

    `created_by` names the API key. `return_url` is where the account pages lead back to.

    Raises:
        ValidationError: `return_url` is no address of a host in PORTAL_RETURN_HOSTS.
    """
    _check_return_url(return_url)
    token = secrets.token_urlsafe(32)
    session = PortalSession.objects.create(
        customer=customer,
        token_hash=_hash(token),
        return_url=return_url,
        created_by=created_by[:200],
        link_expires_at=timezone.now() + timedelta(seconds=settings.PORTAL_LINK_SECONDS),
    )
    return session, settings.PUBLIC_URL.rstrip("/") + reverse("portal-open", args=[token])


def _check_return_url(url: str) -> None:
    if not url:
        return
    if not _is_plain_url(url):
        raise ValidationError(
            {
                "return_url": "This is no address: use one like https://app.example.com/billing, "
                "of at most 200 characters."
            }
        )
    host = urlsplit(url).hostname or ""
    if not validate_host(host, settings.PORTAL_RETURN_HOSTS):
        raise ValidationError(
            {
                "return_url": f"{host} is no host that account pages lead back to: an "
                "administrator can add it to PORTAL_RETURN_HOSTS."
            }
        )


def _is_plain_url(url: str) -> bool:
    try:
        _IS_URL(url)
        PortalSession._meta.get_field("return_url").run_validators(url)
        # Browsers read a backslash as a slash, and what stands before an @ as no host.
        return "\\" not in url and "@" not in urlsplit(url).netloc
    except (ValueError, ValidationError):
        return False


def redeem(token: str) -> str:
    """Use a link up, and give the secret of the visit that it opens.

    Of two who redeem at the same time, one wins.

    Raises:
        PortalLinkError: it was used already, has expired, or never was.
    """
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    redeemed = PortalSession.objects.filter(
        token_hash=_hash(token), redeemed_at=None, link_expires_at__gt=now
    ).update(
        redeemed_at=now,
        visit_hash=_hash(secret),
        visit_expires_at=now + timedelta(seconds=settings.PORTAL_SESSION_SECONDS),
    )
    if not redeemed:
        raise PortalLinkError("This link was used already or has expired.")
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# --- visits ------------------------------------------------------------------------------------


def remember_visit(response: HttpResponse, secret: str) -> None:
    """Give the visitor's browser the secret of their visit."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=settings.PORTAL_SESSION_SECONDS,
        path=COOKIE_PATH,
        secure=not settings.LOCAL,
        httponly=True,
        samesite="Lax",
    )


def end_visit(request: HttpRequest, response: HttpResponse) -> None:
    """End the visit that a link opened, if there is one; a signed-in user stays signed in."""
    visit = current_visit(request)
    if visit is not None:
        PortalSession.objects.filter(pk=visit.pk).update(visit_expires_at=timezone.now())
    response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Lax")


def current_visit(request: HttpRequest) -> PortalSession | None:
    """The visit whose secret the request carries, unless it has ended. One query."""
    if not hasattr(request, "_portal_visit"):
        secret = request.COOKIES.get(COOKIE, "")
        visit = None
        if secret:
            running = PortalSession.objects.filter(
                visit_hash=_hash(secret), visit_expires_at__gt=timezone.now()
            )
            visit = running.select_related("customer").first()
        request._portal_visit = visit  # type: ignore[attr-defined]
    found: PortalSession | None = request._portal_visit  # type: ignore[attr-defined]
    return found


def current_customer(request: HttpRequest) -> Customer | None:
    """Whose account pages this request may see: the visit's customer, else the contact's."""
    visit = current_visit(request)
    if visit is not None:
        return visit.customer
    if not request.user.is_authenticated:
        return None
    found = Contact.objects.filter(user=request.user.pk).select_related("customer", "user")
    contact = found.first()
    return contact.customer if contact is not None and contact.counts else None


def portal_view(view: View) -> View:
    """For views of the account pages: `request.customer` is whose; others must sign in first.

    They read in the customer's language and time zone, whoever looks. Nothing of them is cached.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        customer = current_customer(request)
        if customer is None:
            return _turn_away(request)
        request.customer = customer  # type: ignore[attr-defined]
        with ExitStack() as reading:
            _read_as(customer, reading)
            response = view(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()  # now, while their language is active
            response.headers.setdefault("Content-Language", translation.get_language())
        add_never_cache_headers(response)
        return response

    return wrapped


def _turn_away(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        # The sign-in pages would send them back here, for ever.
        raise PermissionDenied(
            _("You are signed in, but not as a customer: there is no account page to show here.")
        )
    sign_in = resolve_url("account_request_login_code")
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(sign_in)
    return redirect_to_login(request.get_full_path(), sign_in)


def _read_as(customer: Customer, reading: ExitStack) -> None:
    language = customer.language if customer.language in dict(settings.LANGUAGES) else "en"
    reading.enter_context(translation.override(language))
    try:
        zone = ZoneInfo(customer.time_zone)
    except (KeyError, ValueError):
        zone = ZoneInfo("UTC")
    reading.enter_context(timezone.override(zone))
