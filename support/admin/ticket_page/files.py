"""What is handed out as it came: attachments and raw mails as downloads, HTML in a sealed frame."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from support.admin.ticket_page.access import message_for, ticket_for
from support.inline_pictures import with_pictures
from support.models import Attachment

# Whatever a browser makes of it: no scripts, no forms, no origin, nothing loaded.
SEALED = "sandbox; default-src 'none'"
# The mail's own styles, and the pictures that stand in it, but nothing from anywhere else.
MAIL_SEAL = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


def download(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """A file of the ticket, or of one's own draft; always saved, never shown."""
    ticket, user = ticket_for(request, pk, "support.view_attachment")
    attachment = Attachment.objects.filter(pk=file_pk).select_related("message", "draft").first()
    if attachment is None or not (
        (attachment.message and attachment.message.ticket_id == ticket.pk)
        or (
            attachment.draft
            and attachment.draft.ticket_id == ticket.pk
            and attachment.draft.user_id == user.pk
        )
    ):
        raise Http404(_("There is no such file in this ticket."))
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError:
        raise Http404(_("The file is gone from the storage.")) from None
    return _handed_out(content, attachment.name)


def raw(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """The mail as it came, for who may see what comes in."""
    message, user = message_for(request, pk, message_pk)
    if not user.has_perm("support.view_inbound"):
        raise PermissionDenied
    inbound = message.inbound.order_by("id").first()
    if inbound is None:
        raise Http404(_("This message did not come as a mail that was kept."))
    name = f"{message.ticket.number}-{message.pk}.eml"
    sealed: HttpResponse = _sealed(HttpResponse(bytes(inbound.raw)), name)
    return sealed


@xframe_options_sameorigin
def html(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """The message's sanitised HTML alone, for a frame without rights; nothing remote is loaded."""
    message, _user = message_for(request, pk, message_pk, "support.view_message")
    if not message.html:
        raise Http404(_("This message has no HTML."))
    response = render(request, "admin/support/ticket/mail.html", {
        "message": message, "html": with_pictures(message),
    })  # fmt: skip
    response["Content-Security-Policy"] = MAIL_SEAL
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _handed_out(content: Any, name: str) -> HttpResponse:
    response = FileResponse(content, as_attachment=True, filename=name)
    response["Content-Type"] = "application/octet-stream"
    sealed: HttpResponse = _sealed(response)
    return sealed


def _sealed(response: Any, name: str = "") -> Any:
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SEALED
    response["Cache-Control"] = "private, no-store"
    if name:
        response["Content-Type"] = "application/octet-stream"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
