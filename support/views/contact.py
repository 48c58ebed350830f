"""The public form: for people without an account, in any of our languages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.ratelimit import consume
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from support.contact import (
    LinkExpiredError,
    ask_to_confirm,
    confirm,
    open_contact,
    waiting_for,
)
from support.proof_of_work import new_challenge
from support.views.contact_forms import ContactForm

View = Callable[..., HttpResponse]


def in_chosen_language(view: View) -> View:
    """Shows the page in the language of `?language=`, else the browser's."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = request.GET.get("language", "")
        with override(chosen if chosen in dict(settings.LANGUAGES) else get_language()):
            response = view(request, *args, **kwargs)
            response.headers["Content-Language"] = get_language() or "en"
            return response

    return wrapped


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@in_chosen_language
def contact(request: HttpRequest) -> HttpResponse:
    """Write to us. What is not surely a person's is confirmed by mail first; nothing is dropped."""
    form = ContactForm(initial={"language": get_language()})
    status = 200
    if request.method == "POST":
        form = ContactForm(request.POST, request.FILES)
        if form.is_valid():
            sent = _sent(request, form)
            if sent is not None:
                return sent
        status = 429 if form.has_error("__all__", "limit") else 422
    return render(request, "support/contact.html", {"form": form}, status=status)


@never_cache
@require_safe
def contact_challenge(request: HttpRequest) -> HttpResponse:
    """What the page's script works on while somebody writes."""
    return JsonResponse(new_challenge())


@require_safe
@in_chosen_language
def contact_sent(request: HttpRequest) -> HttpResponse:
    """The same words for everybody; `?confirm` where a link was mailed."""
    return render(request, "support/contact_sent.html", {"is_to_confirm": "confirm" in request.GET})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@in_chosen_language
def contact_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button; only POST opens the ticket, for mail scanners follow links."""
    waiting = waiting_for(token).first()
    if waiting is None:
        return render(request, "support/contact_expired.html", status=410)
    with override(waiting.language):
        if request.method != "POST":
            return render(request, "support/contact_confirm.html", {"waiting": waiting})
        try:
            ticket = confirm(token)
        except LinkExpiredError:
            return render(request, "support/contact_expired.html", status=410)
        return render(request, "support/contact_sent.html", {"ticket": ticket})


def _sent(request: HttpRequest, form: ContactForm) -> HttpResponse | None:
    """Where the sender goes on; None: the form says what is wrong."""
    said = form.submission
    if not consume(request, action="contact", key=said.address):
        form.add_error(None, ValidationError(_too_often(), code="limit"))
        return None
    sent = redirect("contact-sent")
    query = f"?language={get_language()}"
    if form.is_persons():
        try:
            open_contact(said, form.cleaned_data["attachments"])
        except ValidationError as error:
            form.add_error(None, error.messages)
            return None
    elif form.cleaned_data["attachments"]:
        form.add_error("attachments", _without_files())
        return None
    else:
        ask_to_confirm(said)
        query += "&confirm"
    sent["Location"] += query
    return sent


def _too_often() -> str:
    return _(
        "Many messages came from this address or connection within an hour. Yours is still here: "
        "send it later, or write to %(address)s."
    ) % {"address": settings.SUPPORT_EMAIL}


def _without_files() -> str:
    return _(
        "Files can be sent along only where JavaScript is on. Send your message without them, and "
        "attach them to your answer to the mail that you get from us."
    )
