"""Mail to those who may resume issuing, when no person stopped it."""

import logging

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from compensation.models import IssuingControl

logger = logging.getLogger(__name__)

RESUME = "compensation.stop_issuing"
_ONE_TELLER = "SELECT pg_try_advisory_xact_lock(hashtext('compensation.stop_notices'))"


def tell_of_stop() -> int:
    """Tell of a stop that the issuer made itself, once; how many people were told.

    No row is locked while mail is handed over, so resuming need not wait. After a crash in that
    very moment it goes out a second time: better than never.
    """
    if not _untold().exists():
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_TELLER)
            (is_ours,) = cursor.fetchone()
        switch = _untold().first()
        if not is_ours or switch is None:
            return 0
        told = sum(_tell(person, switch) for person in _people())
        if told:
            _untold().filter(changed_at=switch.changed_at).update(told_at=timezone.now())
    return told


def _untold() -> QuerySet[IssuingControl]:
    return IssuingControl.objects.filter(is_stopped=True, changed_by=None, told_at=None)


def _people() -> list[User]:
    found = ModelBackend().with_perm(RESUME, is_active=True, include_superusers=False)
    return [person for person in found.order_by("pk") if person.is_staff and person.email]


def _tell(person: User, switch: IssuingControl) -> bool:
    path = reverse("admin:compensation_issuingcontrol_changelist")
    with translation.override(person.language):
        lines = [
            _("Amends has stopped all issuing by itself, {at}.").format(
                at=f"{switch.changed_at:%Y-%m-%d %H:%M} UTC"
            ),
            switch.reason,
            "",
            _("Nothing goes to Stripe until somebody resumes it; nothing is lost meanwhile."),
            f"{settings.PUBLIC_URL.rstrip('/')}{path}",
        ]
        subject = _("All issuing is stopped")
    try:
        send_mail(subject, "\n".join(lines), settings.DEFAULT_FROM_EMAIL, [person.email])
    except OSError:  # smtplib's own errors are among them
        logger.exception("User %s was not told that issuing is stopped", person.pk)
        return False
    return True
