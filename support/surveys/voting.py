"""A customer's answer, by the link that only they have."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from support.models import Survey, TicketEvent
from support.surveys.sending import scores_of
from support.timeline import record_event
from support.tokens import hash_of

# How long a question waits for its answer.
OPEN_FOR = timedelta(days=90)
LONGEST_COMMENT = 5000


class SurveyClosedError(Exception):
    """It is too late to answer, or to answer otherwise."""


def survey_of(token: str) -> Survey | None:
    """The survey of a mailed link."""
    rows = Survey.objects.select_related("ticket", "incident", "customer")
    return rows.filter(token_hash=hash_of(token)).first()


def can_vote(survey: Survey) -> bool:
    """Whether the answer may still be given, or changed."""
    now = timezone.now()
    if survey.answered_at is not None:
        return now < survey.answered_at + timedelta(days=settings.SUPPORT_SURVEY_CHANGE_DAYS)
    return now < survey.created_at + OPEN_FOR


@transaction.atomic
def vote(survey: Survey, score: int, comment: str = "") -> Survey:
    """Store the answer, or another one while it can be changed; the days count from the first.

    Raises:
        ValidationError: no such score.
        SurveyClosedError.
    """
    row = Survey.objects.select_for_update().get(pk=survey.pk)
    if score not in scores_of(row):
        raise ValidationError({"score": _("Choose one of the numbers.")})
    if not can_vote(row):
        raise SurveyClosedError
    before = row.score
    row.score = score
    row.comment = comment.strip()[:LONGEST_COMMENT]
    row.answered_at = row.answered_at or timezone.now()
    row.save(update_fields=["score", "comment", "answered_at"])
    if row.ticket_id and before != score:
        record_event(
            row.ticket_id,
            TicketEvent.Kind.SURVEY,
            by=None,
            change=(before, score),
            survey=row.pk,
        )
    return row
