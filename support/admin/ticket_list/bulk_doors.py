"""One thing done to all selected tickets: its form, its question where it cannot be undone."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.models import User
from incidents.models import Incident
from support import matching
from support import tickets as verbs
from support.admin.ticket_list.asking import need, to_queue
from support.admin.ticket_list.page import listed
from support.bulk import MOST, Outcome, Verb, do_to_all, merge_all, plan_merge
from support.matching.candidates import recent_incidents
from support.models import Queue, Ticket
from support.models.ticket import Band, Status
from support.queue_filters import Filter, desk_of

REASONS_TOLD = 5


@dataclass(frozen=True)
class Wanted:
    """What the form asks for."""

    do: str
    ids: list[int]
    said: Any  # the POST
    user: User


def bulk_view(request: HttpRequest) -> HttpResponse:
    """GET: the forms of what can be done to many. POST: do it, or ask first."""
    user: User = need(request, "support.answer_ticket")
    if request.method != "POST":
        return _forms(request, user)
    query = request.POST.get("query", "")
    wanted = Wanted(request.POST.get("do", ""), _chosen_ids(request, user), request.POST, user)
    if not wanted.ids:
        messages.warning(request, _("No ticket is selected: press x on a line to select it."))
        return to_queue(query)
    try:
        if _asks_first(wanted) and not wanted.said.get("sure"):
            return _question(request, wanted)
        _tell(request, _done(wanted))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return to_queue(query)


def _forms(request: HttpRequest, user: User) -> HttpResponse:
    colleagues = ModelBackend().with_perm("support.answer_ticket")
    context = {
        "colleagues": colleagues.filter(is_staff=True).order_by("full_name", "email")[:300],
        "queues": Queue.objects.seen_by(user).filter(is_active=True).order_by("name"),
        "statuses": [(s.value, s.label) for s in Status if s != Status.NEW],
        "bands": list(reversed(Band.choices)),
        "incidents": recent_incidents(),
        "may_merge": user.has_perm("support.merge_ticket"),
        "reader": user,
    }
    return TemplateResponse(request, "admin/support/ticket/bulk_forms.html", context)


def _chosen_ids(request: HttpRequest, user: User) -> list[int]:
    """Those ticked, or the first MOST that the page's filter finds."""
    if not request.POST.get("everything"):
        return [int(pk) for pk in request.POST.getlist("ticket") if pk.isdecimal()][:MOST]
    desk, chosen = desk_of(user), Filter.read(request.POST.get("query", ""))
    return list(listed(desk, chosen, MOST).tickets.values_list("pk", flat=True)[:MOST])


def _asks_first(wanted: Wanted) -> bool:
    return wanted.do == "merge" or (wanted.do, wanted.said.get("status")) == (
        "status", Status.CLOSED,
    )  # fmt: skip


def _question(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    """What cannot be undone, with what it will do to which."""
    tickets = Ticket.objects.seen_by(wanted.user).filter(pk__in=wanted.ids)
    tickets = tickets.select_related("customer").order_by("pk")
    plan = plan_merge(tickets) if wanted.do == "merge" else None
    closing = [t for t in tickets if t.status != Status.CLOSED] if plan is None else []
    context = {
        **admin.site.each_context(request),
        "opts": Ticket._meta,
        "title": _("Tickets"),
        "do": wanted.do,
        "ids": wanted.ids,
        "query": wanted.said.get("query", ""),
        "plan": plan,
        "closing": closing,
        "unsolved": sum(1 for t in closing if t.status != Status.SOLVED),
    }
    return TemplateResponse(request, "admin/support/ticket/bulk_question.html", context)


def _done(wanted: Wanted) -> Outcome:
    if wanted.do == "merge":
        need_merge = Ticket.objects.seen_by(wanted.user).filter(pk__in=wanted.ids)
        return merge_all(plan_merge(need_merge), by=wanted.user)
    return do_to_all(wanted.ids, _verb(wanted), by=wanted.user)


def _verb(wanted: Wanted) -> Verb:
    """What is to be done to each; raises ValidationError where the form does not say it."""
    makers = {
        "assign": _assigning,
        "status": lambda w: lambda t: verbs.set_status(t, w.said.get("status", ""), by=w.user),
        "queue": _queueing,
        "tags": _tagging,
        "priority": _raising,
        "incident": _linking,
    }
    if wanted.do not in makers:
        raise ValidationError(_("Say what to do with them."))
    return makers[wanted.do](wanted)


def _assigning(wanted: Wanted) -> Verb:
    to = wanted.said.get("assignee", "")
    if to == "me":
        person: User | None = wanted.user
    elif to == "none":
        person = None
    else:
        person = User.objects.filter(pk=int(to) if to.isdecimal() else 0).first()
        if person is None:
            raise ValidationError(_("Say to whom."))
    return lambda ticket: verbs.assign(ticket, person, by=wanted.user)


def _queueing(wanted: Wanted) -> Verb:
    queue = Queue.objects.filter(slug=wanted.said.get("to_queue", "")).first()
    if queue is None:
        raise ValidationError(_("Say into which queue."))
    return lambda ticket: verbs.set_queue(ticket, queue, by=wanted.user)


def _tagging(wanted: Wanted) -> Verb:
    add = wanted.said.get("add_tags", "").split(",")
    remove = wanted.said.get("remove_tags", "").split(",")
    if not verbs.clean_tags(add) | verbs.clean_tags(remove):
        raise ValidationError(_("Write a tag to put on or take off."))
    return lambda ticket: verbs.change_tags(ticket, by=wanted.user, add=add, remove=remove)


def _raising(wanted: Wanted) -> Verb:
    band = wanted.said.get("band", "")
    if band == "none":
        return lambda ticket: verbs.change_ticket(ticket, by=wanted.user, no_band_floor=True)
    if band not in {str(value) for value in Band.values}:
        raise ValidationError(_("Say which priority."))
    return lambda ticket: verbs.change_ticket(ticket, by=wanted.user, band_floor=int(band))


def _linking(wanted: Wanted) -> Verb:
    number = wanted.said.get("to_incident", "")
    if number == "none":
        return lambda ticket: matching.unlink(ticket, by=wanted.user)
    incident = Incident.objects.filter(number=number).first()
    if incident is None:
        raise ValidationError(_("Say to which incident."))
    return lambda ticket: matching.link(ticket, incident, by=wanted.user)


def _tell(request: HttpRequest, outcome: Outcome) -> None:
    """118 done, 2 left out: T-10001 is closed."""
    done = _("%(n)s done") % {"n": outcome.done}
    if not outcome.left_out:
        messages.success(request, done + ".")
        return
    left = len(outcome.left_out)
    told = "; ".join(f"{number}: {why}" for number, why in outcome.left_out[:REASONS_TOLD])
    more = _("; and %(n)s more") % {"n": left - REASONS_TOLD} if left > REASONS_TOLD else ""
    left_out = ngettext("%(n)s left out", "%(n)s left out", left) % {"n": left}
    say = messages.warning if outcome.done else messages.error
    say(request, f"{done}, {left_out}: {told}{more}")
