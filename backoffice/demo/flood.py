"""The flood after the outage: tickets about it among others, worked by three, answered in one go.

`tickets` opens them as customers do, `work` is the agents' afternoon, `figures` tells how it went.
All of it through the verbs, the intake and the worker that would do it in earnest.
"""

import random
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.customers.models.customer import Language
from backoffice.demo.people import Cast
from incidents.models import Exposure, Incident
from support import mass_reply, matching
from support.assignment import take_next
from support.intake import store_inbound
from support.macros import apply_macro, offered_macros
from support.models import Inbound, IncidentMatch, MassReply, Message, Ticket, TicketEvent
from support.models.ticket import Channel
from support.tickets import add_note, open_ticket, reply

ABOUT, OTHERS = 300, 100
# How many tickets each of the three agents works by hand.
BY_HAND = 12
RUSSIANS = 25
# Above this a lead confirms what matching proposed.
SURE = 550
LONGEST_SECONDS = 240
_CHANNELS = (Channel.WEB, Channel.API, Channel.EMAIL)


@dataclass
class Flood:
    """The tickets by number: whether each is about the incident, which matching does not know."""

    incident: Incident
    truth: dict[int, bool] = field(default_factory=dict)
    linked_rightly: int = 0
    linked_wrongly: int = 0
    missed: int = 0
    proposed_rightly: int = 0
    confirmed: int = 0
    taken: int = 0
    answered_by_hand: int = 0
    mass_reply: MassReply | None = None


def tickets(
    incident: Incident, *, check: Callable[[], None], about: int = ABOUT, others: int = OTHERS,
    seed: int = 2026,
) -> Flood:  # fmt: skip
    """Open them by web, API and e-mail, in three languages, and wait until all are processed.

    `check` raises when a process of the demo has ended; without a worker it would wait in vain.
    """
    draw, words = random.Random(seed), _words()  # noqa: S311
    flood = Flood(incident)
    hit = _customers(draw, incident, hit=True)
    everybody = hit + _customers(draw, incident, hit=False)
    matters = [(draw.choice(hit), True) for _ in range(about)]
    matters += [(draw.choice(everybody), False) for _ in range(others)]
    draw.shuffle(matters)
    mails: dict[int, bool] = {}
    for number, (customer, is_about) in enumerate(matters):
        subject, text = _said(draw, words, customer.language, is_about=is_about)
        channel = _CHANNELS[number % len(_CHANNELS)]
        if channel == Channel.EMAIL:
            mails[_mailed(customer, subject, text)] = is_about
        else:
            flood.truth[_opened(customer, subject, text, channel, seed, number)] = is_about
    _wait(lambda: _handled(mails, flood), check)
    _wait(lambda: not TicketEvent.objects.filter(processed_at=None).exists(), check)
    _measure(flood)
    return flood


def work(flood: Flood, cast: Cast, *, check: Callable[[], None]) -> None:
    """Three agents take and answer; the lead confirms proposals and answers the rest at once."""
    words = _words()
    for agent in cast.agents:
        for turn in range(BY_HAND):
            ticket = take_next(agent)
            if ticket is not None:
                flood.taken += 1
                flood.answered_by_hand += _worked(ticket, agent, words, turn)
    flood.confirmed = matching.confirm_above(flood.incident, SURE, by=cast.lead)
    flood.mass_reply = _answer_all(flood.incident, cast.lead)
    _wait(lambda: _is_done(flood.mass_reply), check)
    _wait(lambda: not _on_their_way().exists(), check)  # ending the demo stops no mail half-way


def figures(flood: Flood) -> dict[str, Any]:
    """What the summary says of it."""
    written = 0
    if flood.mass_reply is not None:
        written = flood.mass_reply.recipients.filter(state="written").count()
    return {
        "tickets": len(flood.truth),
        "about_the_outage": sum(flood.truth.values()),
        "linked_rightly": flood.linked_rightly,
        "linked_wrongly": flood.linked_wrongly,
        "proposed_rightly": flood.proposed_rightly,
        "missed": flood.missed,
        "confirmed_by_lead": flood.confirmed,
        "taken_by_agents": flood.taken,
        "answered_by_hand": flood.answered_by_hand,
        "answered_in_one_go": written,
        "languages": len(
            set(
                Message.objects.filter(mass_reply=flood.mass_reply).values_list(
                    "language", flat=True
                )
            )
        )
        if flood.mass_reply
        else 0,
    }


def in_words(told: dict[str, Any]) -> str:
    """The same as the summary's lines."""
    linked = told["linked_rightly"] + told["linked_wrongly"]
    return (
        f"Flood: {told['tickets']} tickets, {told['about_the_outage']} of them about the outage. "
        f"{linked} were linked by themselves, {told['linked_rightly']} of them rightly; "
        f"{told['proposed_rightly']} more were proposed, {told['missed']} missed.\n"
        f"  Three agents took {told['taken_by_agents']}; one mass reply answered "
        f"{told['answered_in_one_go']} in {told['languages']} languages."
    )


def _words() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("flood.toml").read_text(encoding="utf-8"))


def _customers(draw: random.Random, incident: Incident, *, hit: bool) -> list[Customer]:
    exposed = Exposure.objects.filter(incident=incident).values("customer")
    rows = Customer.objects.filter(pk__in=exposed) if hit else Customer.objects.exclude(
        pk__in=exposed
    )  # fmt: skip
    found = list(rows.exclude(email="").order_by("pk"))
    # the company of the demo has no Russian speakers of its own
    for customer in draw.sample(found, min(RUSSIANS, len(found) // 4)) if hit else []:
        customer.language = Language.RUSSIAN
        customer.save(update_fields=["language"])
    return found


def _said(
    draw: random.Random, words: dict[str, Any], language: str, *, is_about: bool
) -> tuple[str, str]:
    if not is_about:
        subject, text = draw.choice(words["others"][language]).split("|")
        return subject, text
    parts = {name: draw.choice(lines) for name, lines in words["about"][language].items()}
    order = "{when} {what}. {more}" if language != "en" else "{what} {when}. {more}"
    text = order.format(**parts).strip()
    return parts["subjects"], text[0].upper() + text[1:]


def _opened(  # noqa: PLR0913, PLR0917 - what a ticket is made of
    customer: Customer, subject: str, text: str, channel: str, seed: int, number: int
) -> int:
    ticket = open_ticket(
        subject=subject,
        text=text,
        channel=channel,
        customer=customer,
        external_id=f"flood-{seed}-{number}" if channel == Channel.API else None,
    )
    return ticket.pk


def _mailed(customer: Customer, subject: str, text: str) -> int:
    """The mail as the mailbox would get it; the worker makes it a ticket."""
    mail = EmailMessage()
    mail["From"] = f'"{customer.name}" <{customer.email}>'
    mail["To"] = settings.SUPPORT_EMAIL
    mail["Subject"] = subject
    mail["Message-ID"] = make_msgid(domain="example.com")
    mail.set_content(f"{text}\n\n-- \n{customer.name}\n")
    return store_inbound(Channel.EMAIL, settings.SUPPORT_EMAIL, mail.as_bytes()).pk


def _handled(mails: dict[int, bool], flood: Flood) -> bool:
    rows = Inbound.objects.filter(pk__in=mails).exclude(state=Inbound.State.NEW)
    for pk, ticket in rows.values_list("pk", "ticket"):
        if ticket is not None:
            flood.truth[ticket] = mails[pk]
    return rows.count() == len(mails)


def _measure(flood: Flood) -> None:
    """Before any person has said a word: what matching did by itself, against the truth."""
    linked = set(
        Ticket.objects.filter(pk__in=flood.truth, incident=flood.incident).values_list(
            "pk", flat=True
        )
    )
    proposed = set(
        IncidentMatch.objects.filter(
            ticket__in=flood.truth, incident=flood.incident, state=IncidentMatch.State.PROPOSED
        ).values_list("ticket", flat=True)
    )
    about = {pk for pk, is_about in flood.truth.items() if is_about}
    flood.linked_rightly = len(linked & about)
    flood.linked_wrongly = len(linked - about)
    flood.proposed_rightly = len(proposed & about)
    flood.missed = len(about - linked - proposed)


def _worked(ticket: Ticket, agent: User, words: dict[str, Any], turn: int) -> int:
    """A macro, a note with an answer, or an answer; whether the customer heard from us."""
    answers = words["answers" if ticket.incident_id else "other_answers"]
    macros = offered_macros(ticket) if turn % 3 == 0 and ticket.incident_id else []
    if macros:
        try:
            apply_macro(macros[0], ticket, by=agent)
        except ValidationError:
            pass  # it would promise a credit that is not approved: so the agent writes
        else:
            return 1
    if turn % 4 == 1:
        add_note(ticket, by=agent, text="Checked the line from here: all good since yesterday.")
    reply(ticket, by=agent, text=answers[ticket.language], then_status="solved")
    return 1


def _answer_all(incident: Incident, lead: User) -> MassReply:
    draft = mass_reply.draft(incident, by=lead)
    mass_reply.change_draft(draft, texts=draft.texts, solves=True, by=lead)
    waiting = draft.recipients.filter(state="waiting")
    if first := waiting.order_by("-ticket__score").first():
        mass_reply.exclude(first, by=lead, reason="I call them myself.")
    return mass_reply.start(draft, recipients=waiting.count(), by=lead)


def _is_done(reply_: MassReply | None) -> bool:
    if reply_ is None:
        return True
    reply_.refresh_from_db()
    return bool(reply_.state == MassReply.State.DONE)


def _on_their_way() -> QuerySet[Message]:
    is_new = Q(delivery=Message.Delivery.QUEUED, attempts=0)
    return Message.objects.filter(is_new | Q(delivery=Message.Delivery.SENDING))


def _wait(condition: Callable[[], bool], check: Callable[[], None]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"The flood's work was not done within {LONGEST_SECONDS} s.")
        time.sleep(0.25)
