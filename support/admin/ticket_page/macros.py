"""The composer's menu of macros: those offered here, and one's words filled in."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from support.actions import describe
from support.admin.ticket_page.access import ticket_for
from support.macros import offered_macros, render_macro
from support.models import Macro, Ticket
from support.models.ticket import Status


def offered(request: HttpRequest, pk: int) -> HttpResponse:
    """An html fragment: the macros for this ticket, with what each does."""
    ticket, _user = ticket_for(request, pk, "support.answer_ticket")
    context = {
        "ticket": ticket,
        "macros": [(macro, describe(macro.actions)) for macro in offered_macros(ticket)],
    }
    return TemplateResponse(request, "admin/support/ticket/macros.html", context)


def rendered(request: HttpRequest, pk: int, macro_pk: int) -> HttpResponse:
    """A macro's words for this ticket, or why they may not be said (400)."""
    ticket, user = ticket_for(request, pk, "support.answer_ticket")
    macro = Macro.objects.filter(pk=macro_pk, is_active=True).first()
    if macro is None:
        raise Http404(_("There is no such macro."))
    try:
        words = render_macro(macro, ticket, user)
    except ValidationError as error:
        return JsonResponse({"errors": error.messages}, status=400)
    actions: Any = [given for given in macro.actions if given.get("do") != "set_status"]
    return JsonResponse(
        {
            "text": words.text,
            "kind": macro.kind,
            "then_status": _status(macro),
            "does": describe(actions),
            "warning": _("This macro has no text in the ticket's language.")
            if words.is_other_language
            else "",
        }
    )


def chosen_macro(ticket: Ticket, pk: str) -> Macro | None:
    """The macro whose words are being sent.

    Raises:
        ValidationError: it is switched off meanwhile.
    """
    if not pk:
        return None
    macro = Macro.objects.filter(pk=pk, is_active=True).first() if pk.isdecimal() else None
    if macro is None:
        raise ValidationError(
            {"macro": _("That macro is switched off meanwhile: remove it, or choose another.")}
        )
    return macro


def _status(macro: Macro) -> str:
    said = [given.get("status", "") for given in macro.actions if given.get("do") == "set_status"]
    return str(said[-1]) if said else Status.WAITING
