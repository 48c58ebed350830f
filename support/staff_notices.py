"""News for colleagues by e-mail: stored with what caused it, sent soon after, in one mail."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.models import User
from support import signals
from support.models import StaffNotice, Ticket

log = logging.getLogger(__name__)

PEOPLE = 20  # told in one go
LISTED = 50  # pieces of news in one mail
MOST_ATTEMPTS = 8  # after two hours nobody needs the news any more
LONGEST = 500


def notify(people: Iterable[User], *, text: str, ticket: Ticket | None = None) -> None:
    """Tell each of `people` once, soon; inactive ones not. Part of the caller's transaction."""
    now = timezone.now()
    told = {person.pk: person for person in people if person.is_active}
    if not told:
        return
    StaffNotice.objects.bulk_create(
        StaffNotice(user=person, ticket=ticket, text=text[:LONGEST], next_at=now)
        for person in told.values()
    )
    transaction.on_commit(partial(signals.staff_notices_stored.send, sender=StaffNotice))


def send_staff_notices() -> int:
    """Send what waits, one mail a person; how many people were told.

    The rows are locked while the mail is handed over. After a crash in that very moment it goes out
    a second time: better than never.
    """
    told = 0
    for user in _waiting_people():
        with transaction.atomic():
            told += _tell(user)
    return told


def _waiting_people() -> list[User]:
    return list(User.objects.filter(pk__in=_waiting().values("user"))[:PEOPLE])


def _waiting() -> QuerySet[StaffNotice]:
    now = timezone.now()
    return StaffNotice.objects.filter(sent_at=None, next_at__lte=now, attempts__lt=MOST_ATTEMPTS)


def _tell(user: User) -> bool:
    now = timezone.now()
    news = list(_waiting().filter(user=user).select_for_update(skip_locked=True)[:LISTED])
    if not news:
        return False
    rows = StaffNotice.objects.filter(pk__in=[one.pk for one in news])
    attempts = news[0].attempts + 1
    try:
        with translation.override(user.language):
            send_mail(_subject(news), _body(news), settings.DEFAULT_FROM_EMAIL, [user.email])
    except OSError:  # smtplib's own errors are among them
        log.exception("Notices for user %s were not sent", user.pk)
        later = now + timedelta(minutes=2 ** min(attempts, 6))
        rows.update(attempts=attempts, next_at=later)
        return False
    rows.update(sent_at=now, attempts=attempts)
    return True


def _subject(news: list[StaffNotice]) -> str:
    if len(news) == 1:
        return " ".join(_line(news[0]).split())[:150]
    return ngettext("%s piece of news", "%s pieces of news", len(news)) % len(news)


def _body(news: list[StaffNotice]) -> str:
    lines = []
    for one in news:
        lines.append(_line(one))
        if one.ticket_id:
            path = reverse("admin:support_ticket_change", args=[one.ticket_id])
            lines.append(f"{settings.PUBLIC_URL.rstrip('/')}{path}")
    return "\n".join([*lines, "", _("You get this mail because the support desk names you.")])


def _line(one: StaffNotice) -> str:
    return f"T-{one.ticket_id}: {one.text}" if one.ticket_id else one.text
