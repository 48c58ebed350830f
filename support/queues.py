"""Setting queues up."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from support.models import Queue


@transaction.atomic
def save_queue(queue: Queue) -> None:
    """Store it. There is always exactly one default queue: a new default takes the place.

    Raises:
        ValidationError: see `check_queue`.
    """
    check_queue(queue)
    if queue.is_default:
        Queue.objects.filter(is_default=True).exclude(pk=queue.pk).update(is_default=False)
    queue.save()


def check_queue(queue: Queue) -> None:
    """Raises ValidationError: without this queue as it was, tickets would have nowhere to go."""
    problems = {}
    was_default = Queue.objects.filter(pk=queue.pk, is_default=True).exists()
    if was_default and not queue.is_default:
        problems["is_default"] = _("Make another queue the default one instead.")
    if queue.is_default and not queue.is_active:
        problems["is_active"] = _("New tickets go to the default queue: it must be active.")
    others = Queue.objects.exclude(pk=queue.pk)
    if queue.email and others.filter(email__iexact=queue.email).exists():
        problems["email"] = _("Mail to this address goes to another queue already.")
    if problems:
        raise ValidationError(problems)
