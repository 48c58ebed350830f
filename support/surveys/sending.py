"""The mails that ask."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from backoffice.channels.email.tokens import reply_address
from support.addresses import sender_of
from support.mailing import MailRefusedError, send_notice
from support.models import Survey, TicketEvent
from support.notices import Notice, compose, public_url
from support.surveys.asking import key_of
from support.timeline import record_event
from support.tokens import token_for

# What could not be mailed for so long is not asked any more.
LONGEST_WAIT = timedelta(days=3)


def send_surveys(limit: int = 200) -> int:
    """Mail up to `limit` of those that wait, each once; how many went out.

    A worker killed between mail and commit may send one again, with the same Message-ID.
    """
    sent = 0
    while sent < limit and _send_next():
        sent += 1
    return sent


@transaction.atomic
def _send_next() -> bool:
    waiting = Survey.objects.filter(
        sent_at=None, delivery_error="", created_at__gt=timezone.now() - LONGEST_WAIT
    ).select_related("ticket__queue", "customer")
    survey = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("id").first()
    if survey is None:
        return False
    key = key_of(survey)
    try:
        went_out = send_notice(
            notice_of(survey, token_for("survey", key)),
            to=survey.address,
            mail_id=f"survey.{key.replace(':', '.')}",
            reply_to=_reply_to(survey),
        )
    except MailRefusedError as error:
        Survey.objects.filter(pk=survey.pk).update(delivery_error=str(error)[:500])
        return True
    if went_out:
        Survey.objects.filter(pk=survey.pk).update(sent_at=timezone.now())
        if survey.ticket_id:
            record_event(
                survey.ticket_id, TicketEvent.Kind.SURVEY, by=None, survey=survey.pk, sent=True
            )
    return went_out


def notice_of(survey: Survey, token: str) -> Notice:
    """The mail with a link for each score."""
    url = public_url("survey", token)
    return compose(
        f"survey_{survey.kind}",
        language=language_of(survey),
        customer=survey.customer,
        ticket=survey.ticket,
        incident=survey.incident,
        url=url,
        scores=[(score, f"{url}?score={score}") for score in scores_of(survey)],
    )


def language_of(survey: Survey) -> str:
    """The ticket's, else the customer's."""
    if survey.ticket is not None:
        return survey.ticket.language
    return survey.customer.language if survey.customer else "en"


def scores_of(survey: Survey) -> range:
    """1 to 5, or 0 to 10."""
    return range(1, 6) if survey.kind == Survey.Kind.CSAT else range(11)


def _reply_to(survey: Survey) -> str:
    """An answer to the mail goes on in the ticket."""
    if survey.ticket is None:
        return ""
    return reply_address(sender_of(survey.ticket.queue), str(survey.ticket.pk))
