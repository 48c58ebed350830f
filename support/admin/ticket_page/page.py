"""All that stands on a ticket's page."""

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from support.admin.flood import ticket_card
from support.admin.ticket_page.lead import BAND_TONES, STATUS_TONES, clocks, lead
from support.conversation import Conversation, conversation_of
from support.drafts import draft_of, others_writing, version_of
from support.goodwill import page_part
from support.models import Attachment, Message, Queue, Ticket
from support.models.ticket import Band, Channel, Status
from support.panel import panel_of

MAY = {
    "answer": "support.answer_ticket",
    "merge": "support.merge_ticket",
    "raw": "support.view_inbound",
    "money": "compensation.view_award",
}
# The parts of the score in words; `words` are the customer's that made the sentiment.
PART_WORDS = {
    "plan": _("contract and plan"),
    "priority_support": _("priority support"),
    "incident": _("severity of the incident"),
    "waiting": _("waiting time"),
    "breaches": _("missed promises"),
    "sentiment": _("sentiment and words"),
    "value": _("value at risk"),
}


def may_of(user: User) -> dict[str, bool]:
    """What the reader may do here, by a short name."""
    return {name: user.has_perm(permission) for name, permission in MAY.items()}


def page(request: HttpRequest, ticket: Ticket, user: User) -> dict[str, Any]:
    """The template's context; a constant number of queries."""
    may = may_of(user)
    conversation = conversation_of(ticket)
    seen = Ticket.objects.seen_by(user)
    return {
        "ticket": ticket,
        "user": user,
        "may": may,
        "zone": timezone.get_current_timezone_name(),
        "lead": lead(ticket, user),
        "clocks": clocks(ticket),
        "status_tone": STATUS_TONES[Status(ticket.status)],
        "band_tone": BAND_TONES[ticket.band],
        "score_parts": score_parts(ticket),
        "statuses": reachable(ticket),
        "bands": Band.choices,
        "languages": Language.choices,
        "conversation": conversation,
        "panel": panel_of(ticket, seen),
        "children": list(ticket.children.order_by("id").only("subject", "status")[:20]),
        "queues": list(Queue.objects.filter(is_active=True)) if may["answer"] else [],
        "may_split": may_split(ticket, may, theirs=customers_words(conversation)),
        "is_mine": ticket.assignee_id == user.pk,
        "composer": composer(ticket, user, conversation) if may["answer"] else None,
        "goodwill": page_part(ticket, user),
        "about": ticket_card.page_part(ticket, user),
        "others_writing": others_writing(ticket, user),
        "can_answer": may["answer"] and ticket.status != Status.CLOSED,
    }


def customers_words(conversation: Conversation) -> int:
    """How many messages are the customer's, as far as they are shown, and those before them."""
    return conversation.earlier + sum(one.is_customers for one in conversation.said)


def may_split(ticket: Ticket, may: dict[str, bool], *, theirs: int) -> bool:
    """Whether single messages of it can become tickets: one of `theirs` must stay."""
    return may["merge"] and theirs > 1 and ticket.status != Status.CLOSED


def composer(ticket: Ticket, user: User, conversation: Conversation) -> dict[str, Any]:
    """What the composer starts from: the draft, a key of its own, the newest message."""
    draft = draft_of(ticket, user)
    return {
        "draft": draft,
        "version": version_of(draft),
        "files": list(Attachment.objects.filter(draft=draft)) if draft else [],
        "kind": draft.kind if draft else Message.Kind.PUBLIC,
        "key": secrets.token_hex(16),
        "seen": conversation.newest,
        "undo_seconds": settings.SUPPORT_UNDO_SECONDS,
        "most_megabytes": settings.ATTACHMENT_MAX_BYTES // 1024 // 1024,
        "to": ticket.requester_address or str(ticket.customer or ""),
        "is_public_channel": ticket.channel == Channel.SOCIAL,
        "has_nobody": not ticket.requester_address,
    }


def score_parts(ticket: Ticket) -> list[tuple[str, int, str]]:
    """Each part that counts, in words, with its points and what made it; the largest first."""
    parts = ticket.score_parts
    said = ", ".join(f"“{word}”" for word in parts.get("words") or ())
    counted = [
        (str(words), int(parts.get(name) or 0), said if name == "sentiment" else "")
        for name, words in PART_WORDS.items()
    ]
    return sorted((part for part in counted if part[1]), key=lambda part: -part[1])


def reachable(ticket: Ticket) -> list[tuple[str, str]]:
    """The statuses that the ticket can have next."""
    return [(s.value, str(s.label)) for s in Status if ticket.can_move(s)]
