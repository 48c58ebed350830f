"""What the page of a mass reply shows, and what its reader can do next."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.customers.models.customer import Language
from backoffice.display import duration
from support import mass_reply as verbs
from support.macros import VARIABLES
from support.models import MassReply, MassReplyRecipient

State = MassReply.State
SEND = "support.send_mass_reply"
TONES = {"draft": "", "running": "", "paused": "warn", "done": "good", "cancelled": "plain"}


@dataclass
class Choice:
    """One button: what it says, and what it asks before it does so (nothing: done at once)."""

    name: str
    label: str
    question: str = ""
    warning: str = ""
    style: str = ""
    reason: str = ""
    hidden: dict[str, Any] = field(default_factory=dict)
    obstacle: str = ""
    url: str = ""

    @property
    def dialog(self) -> str:
        return f"dialog-{self.name}"


def page(request: HttpRequest, reply: MassReply) -> dict[str, Any]:
    """The template's context; recipients of a draft are found anew first."""
    may_send = request.user.has_perm(SEND)
    if reply.state == State.DRAFT:
        verbs.find_recipients(reply)
    figures = verbs.figures(reply)
    moves = None if reply.state == State.DRAFT else progress(reply)
    return {
        "reply": reply,
        "figures": figures,
        "languages": in_languages(figures["languages"]),
        "exclusions": [
            (label, figures["exclusions"][value])
            for value, label in MassReplyRecipient.Exclusion.choices
            if value in figures["exclusions"]
        ],
        "progress": moves,
        "tone": TONES[reply.state],
        "next_step": _next_step(reply, figures, moves),
        "choices": _choices(reply, figures, moves) if may_send else [],
        "may_send": may_send,
        "texts": texts_of(reply),
        "variables": [(name, variable.what) for name, variable in VARIABLES.items()],
        "states": _tabs(figures),
    }


def progress(reply: MassReply) -> dict[str, Any]:
    """How far it is, with the time left in words."""
    moves = verbs.progress(reply)
    seconds = moves["eta_seconds"]
    moves["eta"] = "" if seconds is None else f"{seconds} s" if seconds < 60 else duration(seconds)  # noqa: PLR2004
    return moves


def texts_of(reply: MassReply) -> list[tuple[str, Any, str]]:
    """(code, name, text) of each language, English first."""
    return [(code, label, reply.texts.get(code, "")) for code, label in Language.choices]


def in_languages(counts: dict[str, int]) -> str:
    """298 customers' languages: English 200, German 90, Russian 8."""
    names = dict(Language.choices)
    return ", ".join(f"{names.get(code, code)} {count:,}" for code, count in counts.items())


def _tabs(figures: dict[str, Any]) -> list[tuple[str, Any, int]]:
    return [
        (state.value, state.label, figures[state.value])
        for state in MassReplyRecipient.State
        if figures[state.value]
    ]


def _next_step(reply: MassReply, figures: dict[str, Any], moves: Any) -> str:
    if reply.state == State.DRAFT and not figures["waiting"]:
        return _("Nobody would get it: all tickets of this incident are left out.")
    if reply.state == State.DONE and (figures["failed"] or moves["not_sent"]):
        return _("All is written but for those that failed: look at the reasons.")
    return {
        State.DRAFT: _("Write it, look at some real recipients, then send it."),
        State.RUNNING: _("It is being written. Close this page if you like: it goes on."),
        State.PAUSED: _("Paused. Those written are sent; the others wait."),
        State.DONE: _("All is written."),
        State.CANCELLED: _("Cancelled. Whoever had no message yet gets none from it."),
    }[State(reply.state)]


def _choices(reply: MassReply, figures: dict[str, Any], moves: Any) -> list[Choice]:
    offered: list[Choice] = []
    if reply.state == State.DRAFT:
        offered += [_start(reply, figures), _cancel()]
    elif reply.state == State.RUNNING:
        offered += [
            Choice("pause", _("Pause"), style="primary"),
            _cancel(),
        ]
    elif reply.state == State.PAUSED:
        offered += [Choice("resume", _("Go on"), style="primary"), _cancel()]
    again = figures["failed"] + (moves["not_sent"] if moves else 0)
    if again and reply.state in {State.RUNNING, State.PAUSED, State.DONE}:
        label = ngettext("Try %(n)s again", "Try %(n)s again", again) % {"n": f"{again:,}"}
        offered.append(Choice("retry", label))
    for choice in offered:
        choice.url = reverse(f"admin:support_massreply_{choice.name}", args=[reply.pk])
    return offered


def _start(reply: MassReply, figures: dict[str, Any]) -> Choice:
    n = figures["waiting"]
    people = figures["customers"]
    tickets = ngettext("%(n)s customer", "%(n)s customers", people) % {"n": f"{people:,}"}
    several = _("They wrote %(n)s tickets; each is answered.") % {"n": f"{n:,}"}
    warning = [several] if people != n else []
    languages = len(figures["languages"])
    spoken = ngettext("in one language", "in %(n)s languages", languages) % {"n": languages}
    solves = _("and solve their tickets") if reply.solves else _("and leave their tickets open")
    warning.append(in_languages(figures["languages"]) + ".")
    if figures["without_credit"]:
        warning.append(
            ngettext(
                "For %(n)s of them no credit is approved: that paragraph is left out.",
                "For %(n)s of them no credit is approved: that paragraph is left out.",
                figures["without_credit"],
            )
            % {"n": f"{figures['without_credit']:,}"}
        )
    warning.append(_("It can be paused, but what was sent stays sent."))
    return Choice(
        "start",
        _("Send to %(tickets)s …") % {"tickets": tickets},
        question=_("Send to %(tickets)s, %(spoken)s, %(solves)s?")
        % {"tickets": tickets, "spoken": spoken, "solves": solves},
        warning=" ".join(warning),
        style="primary",
        hidden={"recipients": n},
        obstacle="" if n else _("Nobody is left to send it to."),
    )


def _cancel() -> Choice:
    return Choice(
        "cancel",
        _("Cancel it …"),
        question=_("Cancel this mass reply?"),
        warning=_("Whoever has no message yet gets none from it. Another can be drafted."),
        style="danger",
        reason=_("Why?"),
    )
