"""What the buttons and fragments of a mass reply's page call."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from backoffice.customers.models.customer import Language
from support import mass_reply as verbs
from support.admin.flood.asking import need, number_of, refusal, wrong_method
from support.admin.flood.mass_reply_page import SEND, progress
from support.mass_reply.drafting import clean_texts
from support.models import MassReply, MassReplyRecipient

SHOWN = 50
VIEW = "support.view_massreply"


def doors() -> list[tuple[str, Any, str]]:
    """(route, view, name) of each."""
    return [
        ("<int:pk>/save", save_view, "save"),
        ("<int:pk>/preview", preview_view, "preview"),
        ("<int:pk>/recipients", recipients_view, "recipients"),
        ("<int:pk>/progress", progress_view, "progress"),
        ("recipients/<int:pk>/exclude", exclude_view, "exclude"),
        ("recipients/<int:pk>/include", include_view, "include"),
        *(
            (f"<int:pk>/{name}", _button(verb, said), name)
            for name, (verb, said) in _BUTTONS.items()
        ),
    ]


def save_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: keep the draft's texts, and whether it solves."""
    user = need(request, SEND)
    if answer := wrong_method(request, "POST"):
        return answer
    reply = get_object_or_404(MassReply, pk=pk)
    problem = refusal(
        lambda: verbs.change_draft(
            reply, texts=_texts(request), solves="solves" in request.POST, by=user
        )
    )
    if problem:
        messages.error(request, _("Not saved. %(problem)s") % {"problem": problem})
    else:
        messages.success(request, _("Saved."))
    return redirect("admin:support_massreply_change", pk)


def preview_view(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: some recipients of what is saved. POST: of what stands in the editor, unsaved."""
    user = need(request, VIEW)
    reply = get_object_or_404(MassReply.objects.select_related("incident"), pk=pk)
    problem = ""
    if request.method == "POST":
        try:
            reply.texts = clean_texts(_texts(request))
        except ValidationError as error:
            problem = " ".join(error.messages)
    language = request.POST.get("language") or request.GET.get("language", "")
    language = language if language in Language.values else ""
    rows = [] if problem else verbs.preview(reply, by=user, language=language)
    context = {"reply": reply, "rows": rows, "problem": problem, "language": language}
    return TemplateResponse(request, "admin/support/mass_reply/preview.html", context)


def recipients_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Recipients in a state, 50 at a time."""
    need(request, VIEW)
    reply = get_object_or_404(MassReply, pk=pk)
    state = request.GET.get("state", "")
    rows = (
        MassReplyRecipient.objects.filter(mass_reply=reply)
        .select_related("ticket__customer", "message", "excluded_by")
        .order_by("pk")
    )
    if state in MassReplyRecipient.State.values:
        rows = rows.filter(state=state)
    if (after := number_of(request.GET.get("after"))) > 0:
        rows = rows.filter(pk__gt=after)
    found = list(rows[: SHOWN + 1])
    context = {
        "reply": reply,
        "rows": [(row, verbs.language_of(row.ticket)) for row in found[:SHOWN]],
        "state": state,
        "more_after": found[SHOWN - 1].pk if len(found) > SHOWN else 0,
        "may_change": _may_change(request, reply),
    }
    return TemplateResponse(request, "admin/support/mass_reply/recipients.html", context)


def progress_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar again; once the state has changed, the whole page."""
    need(request, VIEW)
    reply = get_object_or_404(MassReply, pk=pk)
    if request.GET.get("state", reply.state) != reply.state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"reply": reply, "progress": progress(reply)}
    return TemplateResponse(request, "admin/support/mass_reply/progress.html", context)


def exclude_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `reason`: leave one ticket out."""
    reason = request.POST.get("reason", "")
    return _changed(
        request,
        pk,
        lambda row: verbs.exclude(row, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("%(ticket)s is left out."),
    )


def include_view(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: take one back in."""
    return _changed(
        request,
        pk,
        lambda row: verbs.include(row, by=request.user),  # type: ignore[arg-type]
        _("%(ticket)s is back in."),
    )


def _changed(
    request: HttpRequest, pk: int, verb: Callable[[MassReplyRecipient], Any], said: str
) -> HttpResponse:
    need(request, SEND)
    if answer := wrong_method(request, "POST"):
        return answer
    row = get_object_or_404(MassReplyRecipient.objects.select_related("ticket"), pk=pk)
    if problem := refusal(lambda: verb(row)):
        messages.error(request, problem)
    else:
        messages.success(request, said % {"ticket": row.ticket.number})
    return redirect("admin:support_massreply_change", row.mass_reply_id)


def _start(request: HttpRequest, reply: MassReply) -> Any:
    told = number_of(request.POST.get("recipients"))
    return verbs.start(reply, recipients=told, by=request.user)  # type: ignore[arg-type]


def _with_reason(verb: Any) -> Any:
    return lambda request, reply: verb(
        reply, by=request.user, reason=request.POST.get("reason", "")
    )


def _plain(verb: Any) -> Any:
    return lambda request, reply: verb(reply, by=request.user)


_BUTTONS: dict[str, tuple[Any, str]] = {
    "start": (_start, "It is being written now."),
    "pause": (_with_reason(verbs.pause), "Paused."),
    "resume": (_plain(verbs.resume), "It goes on."),
    "cancel": (_with_reason(verbs.cancel), "Cancelled."),
    "retry": (_plain(verbs.retry_failed), "They are tried again."),
}


def _button(verb: Any, said: str) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        need(request, SEND)
        if answer := wrong_method(request, "POST"):
            return answer
        reply = get_object_or_404(MassReply, pk=pk)
        if problem := refusal(lambda: verb(request, reply)):
            messages.error(request, problem)
        else:
            messages.success(request, _(said))
        return redirect("admin:support_massreply_change", pk)

    return view


def _texts(request: HttpRequest) -> dict[str, str]:
    return {code: request.POST.get(f"text_{code}", "") for code in Language.values}


def _may_change(request: HttpRequest, reply: MassReply) -> bool:
    is_over = reply.state in {MassReply.State.DONE, MassReply.State.CANCELLED}
    return request.user.has_perm(SEND) and not is_over
