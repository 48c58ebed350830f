"""The composer's doors: the draft, its files, the preview, and sending."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support import drafts
from support.admin.ticket_page.access import ticket_for
from support.admin.ticket_page.macros import chosen_macro
from support.answering import OvertakenError, answer, next_ticket
from support.models import Attachment, Message, Ticket
from support.preview import preview_of

ANSWERS = "support.answer_ticket"


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Say it; scripts get JSON and stay where they are if it could not be said."""
    ticket, user = ticket_for(request, pk, ANSWERS)
    try:
        _attach_uploaded(request, ticket, user)
        macro = chosen_macro(ticket, request.POST.get("macro", ""))
        message = answer(ticket, by=user, macro=macro, **_composed(request.POST))
    except OvertakenError as error:
        return _overtaken(request, ticket, user, error)
    except (ValidationError, MoveError, PermissionDenied) as error:
        return _refused(request, ticket, user, said(error))
    to = _whereto(request, ticket, user, message)
    return JsonResponse({"to": to}) if _is_scripted(request) else redirect(to)


@require_POST
def keep_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what is typed; 409 when another window has changed it."""
    ticket, user = ticket_for(request, pk, ANSWERS)
    try:
        draft = drafts.save_draft(
            ticket,
            by=user,
            kind=request.POST.get("kind", ""),
            text=_text(request.POST),
            version=request.POST.get("version"),
        )
    except drafts.DraftMovedOnError as error:
        theirs = {"text": error.draft.text, "kind": error.draft.kind} if error.draft else {}
        version = drafts.version_of(error.draft)
        return JsonResponse({"errors": [str(error)], "version": version, **theirs}, status=409)
    return JsonResponse({"version": drafts.version_of(draft)})


@require_POST
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """One file for the draft."""
    ticket, user = ticket_for(request, pk, ANSWERS)
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"errors": [_("No file came.")]}, status=400)
    try:
        attachment = drafts.attach_to_draft(ticket, by=user, name=file.name or "", content=file)
    except ValidationError as error:
        return JsonResponse({"errors": error.messages}, status=400)
    context = {"file": attachment, "ticket": ticket}
    row = render_to_string("admin/support/ticket/composer_file.html", context, request)
    return JsonResponse({"row": row, "version": drafts.version_of(drafts.draft_of(ticket, user))})


@require_POST
def remove_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    ticket, user = ticket_for(request, pk, ANSWERS)
    drafts.remove_from_draft(ticket, by=user, attachment_id=file_pk)
    return JsonResponse({}) if _is_scripted(request) else _to_page(ticket)


@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """An html fragment: the answer as the customer will get it."""
    ticket, user = ticket_for(request, pk, ANSWERS)
    context = {
        "ticket": ticket,
        "preview": preview_of(ticket, by=user, text=_text(request.POST)),
        "files": Attachment.objects.filter(draft__ticket=ticket, draft__user=user),
    }
    return HttpResponse(render_to_string("admin/support/ticket/preview.html", context, request))


def said(error: Exception) -> list[str]:
    """A verb's refusal as lines to read."""
    return error.messages if isinstance(error, ValidationError) else [str(error)]


def _composed(given: Any) -> dict[str, Any]:
    seen = given.get("seen", "")
    return {
        "text": _text(given),
        "kind": given.get("kind", Message.Kind.PUBLIC),
        "then_status": given.get("then_status", Ticket.Status.WAITING),
        "send_at": _moment(given.get("send_at", "")),
        "key": given.get("key", "")[:64],
        "seen": int(seen) if seen.isdecimal() and len(seen) <= 18 else None,  # noqa: PLR2004
    }


def _moment(typed: str) -> datetime | None:
    """A time in the reader's zone, as browsers write it.

    Raises:
        ValidationError: it cannot be read, or has passed.
    """
    if not typed.strip():
        return None
    try:
        moment = timezone.make_aware(datetime.fromisoformat(typed))
    except ValueError:
        raise ValidationError(
            {"send_at": _("Give the time as year, month, day, hour and minute.")}
        ) from None
    if moment <= timezone.now():
        raise ValidationError({"send_at": _("That time has passed: choose a later one.")})
    return moment


def _text(given: Any) -> str:
    return str(given.get("text", "")).replace("\r\n", "\n").replace("\0", "")


def _attach_uploaded(request: HttpRequest, ticket: Ticket, user: User) -> None:
    """Files that came with the form itself, from browsers without scripts."""
    for file in request.FILES.getlist("files"):
        drafts.attach_to_draft(ticket, by=user, name=file.name or "", content=file)


def _overtaken(
    request: HttpRequest, ticket: Ticket, user: User, error: OvertakenError
) -> HttpResponse:
    """Show what came, and ask once; without scripts the draft waits on the page that shows it."""
    if not _is_scripted(request):
        return _refused(request, ticket, user, [_("{what} Read it, then send again.").format(
            what=error
        )])  # fmt: skip
    context = {"messages": error.messages, "ticket": ticket}
    html = render_to_string("admin/support/ticket/overtaken.html", context, request)
    return JsonResponse({"overtaken": html, "seen": error.messages[-1].pk}, status=409)


def _refused(request: HttpRequest, ticket: Ticket, user: User, errors: list[str]) -> HttpResponse:
    if _is_scripted(request):
        return JsonResponse({"errors": errors}, status=400)
    drafts.save_draft(ticket, by=user, kind=request.POST.get("kind", ""), text=_text(request.POST))
    for line in errors:
        messages.error(request, line)
    return _to_page(ticket)


def _whereto(request: HttpRequest, ticket: Ticket, user: User, message: Message) -> str:
    """The next ticket for who asked for it, else this one's page, at what was said."""
    if request.POST.get("after") == "next":
        if following := next_ticket(user, after=ticket):
            return reverse("admin:support_ticket_change", args=[following.pk])
        messages.info(request, _("That was the last of yours that waits."))
        return reverse("admin:support_ticket_changelist")
    return f"{reverse('admin:support_ticket_change', args=[ticket.pk])}#message-{message.pk}"


def _is_scripted(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def _to_page(ticket: Ticket) -> HttpResponse:
    return redirect(f"{reverse('admin:support_ticket_change', args=[ticket.pk])}#composer")
