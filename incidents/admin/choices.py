"""What state an incident is in, and what its reader can do next: each button with its question."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.models import Incident

State = Incident.State


@dataclass
class Choice:
    """One button: what it says, and what it asks before it does so (nothing: done at once)."""

    name: str
    label: str
    question: str = ""
    warning: str = ""
    style: str = ""
    reason_label: str = ""
    needs_reason: bool = False
    asks_when: bool = False
    open_outages: int = 0  # offers to end them
    url: str = ""

    @property
    def dialog(self) -> str:
        return f"dialog-{self.name}"


@dataclass
class Lead:
    """The page's first line: how it stands, what is next, and how urgent that is."""

    tone: str
    next_step: str


def lead(incident: Incident, outages: list[Any], affected: int) -> Lead:
    """What to do next with `incident`, in a sentence."""
    if incident.kind == Incident.Kind.MAINTENANCE:
        return _maintenance_lead(incident)
    if incident.state == State.RESOLVED:
        return Lead("good", _("It is over. What it costs stands below; a batch pays it."))
    if incident.acknowledged_at is None:
        return Lead("bad", _("Nobody has taken it yet: acknowledge it."))
    if not outages:
        return Lead("bad", _("Add what is out of order, so that the affected are found."))
    if not affected and incident.state == State.INVESTIGATING:
        return Lead("bad", _("Nobody is affected as far as we know: check outages and cohorts."))
    return {
        State.INVESTIGATING: Lead("bad", _("Find the cause; say so here when it is known.")),
        State.IDENTIFIED: Lead("bad", _("Repair it; mark it as mitigated when nobody feels it.")),
        State.MONITORING: Lead("warn", _("Nobody feels it. Watch, and resolve it when it holds.")),
    }[State(incident.state)]


def _maintenance_lead(incident: Incident) -> Lead:
    return {
        State.SCHEDULED: Lead("", _("Announced. Start it when work begins.")),
        State.IN_PROGRESS: Lead("warn", _("Work is under way. Verify it when it is done.")),
        State.VERIFYING: Lead("warn", _("Done, and being checked. Complete it when it holds.")),
        State.COMPLETED: Lead("good", _("It is over.")),
    }.get(State(incident.state), Lead("", ""))


def choices(
    request: HttpRequest, incident: Incident, open_outages: int, affected: int
) -> list[Choice]:
    """The buttons for `incident` in its state, the next step first. None for who may not."""
    if not request.user.has_perm("incidents.change_incident"):
        return []
    end = _ends(open_outages)
    by_state = {
        State.INVESTIGATING: lambda: [
            _identify(),
            _mitigate(open_outages, style=""),
            _resolve(end, affected),
        ],
        State.IDENTIFIED: lambda: [_mitigate(open_outages), _resolve(end, affected)],
        State.MONITORING: lambda: [_resolve(end, affected, style="primary"), _worse()],
        State.RESOLVED: lambda: [_reopen()],
        State.SCHEDULED: lambda: [_start(), _complete(end)],
        State.IN_PROGRESS: lambda: [_verify(), _complete(end)],
        State.VERIFYING: lambda: [_complete(end, style="primary")],
    }
    offered: list[Choice] = by_state.get(State(incident.state), list)()
    is_new = incident.kind == Incident.Kind.INCIDENT and incident.is_running
    if is_new and incident.acknowledged_at is None:
        for choice in offered:
            choice.style = ""
        offered.insert(0, _acknowledge(incident))
    for choice in offered:
        choice.url = reverse("admin:incidents_incident_move", args=[incident.pk, choice.name])
    return offered


def _ends(open_outages: int) -> str:
    if not open_outages:
        return ""
    return ngettext("end {n} outage", "end {n} outages", open_outages).format(n=open_outages)


def _acknowledge(incident: Incident) -> Choice:
    takes = incident.commander_id is None
    label = _("Acknowledge, take command") if takes else _("Acknowledge")
    return Choice("acknowledge", label, style="primary")


def _identify() -> Choice:
    return Choice(
        "identify", _("Mark as identified …"), _("Is the cause known?"),
        _("The incident moves on to “identified”."),
        style="primary", reason_label=_("What is it?"),
    )  # fmt: skip


def _mitigate(open_outages: int, style: str = "primary") -> Choice:
    return Choice(
        "mitigate", _("Mark as mitigated …"), _("Do customers no longer feel it?"),
        _("The incident moves on to “monitoring”."),
        style=style, reason_label=_("What was done?"),
        asks_when=True, open_outages=open_outages,
    )  # fmt: skip


def _worse() -> Choice:
    return Choice(
        "identify", _("It is back …"), _("Is it felt again?"),
        _("The incident goes back to “identified”. Add the outage that began."),
        reason_label=_("What happened?"),
    )  # fmt: skip


def _resolve(end: str, affected: int, style: str = "") -> Choice:
    label = _("Resolve, {end} …").format(end=end) if end else _("Resolve …")
    counted = ngettext(
        "{n} affected subscription is counted a last time, and a draft batch is priced.",
        "{n} affected subscriptions are counted a last time, and a draft batch is priced.",
        affected,
    ).format(n=f"{affected:,}")
    question = _("Is it over? This will {end}.").format(end=end) if end else _("Is it over?")
    return Choice(
        "resolve", label, question, counted, style=style, reason_label=_("What was it?"),
        asks_when=True,
    )  # fmt: skip


def _reopen() -> Choice:
    return Choice(
        "reopen", _("Reopen …"), _("Was it not over?"),
        _("It is investigated again. Its outages stay; add the one that began. "
          "Batches made meanwhile stay as they are."),
        style="danger", reason_label=_("Why?"), needs_reason=True,
    )  # fmt: skip


def _start() -> Choice:
    return Choice(
        "start", _("Start …"), _("Has work begun?"), _("Add what it puts out of order."),
        style="primary", reason_label=_("Note"), asks_when=True,
    )  # fmt: skip


def _verify() -> Choice:
    return Choice("verify", _("Work is done, verify"), style="primary")


def _complete(end: str, style: str = "") -> Choice:
    label = _("Complete, {end} …").format(end=end) if end else _("Complete …")
    return Choice(
        "complete", label, _("Is the maintenance over?"),
        _("The affected are counted a last time. Policies decide whether maintenance counts."),
        style=style, reason_label=_("Note"), asks_when=True,
    )  # fmt: skip
