"""Who may work on a ticket."""

from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from compensation.authority import person_with
from support.models import Ticket


def worker_on(ticket: Ticket, by: Any, permission: str = "support.answer_ticket") -> User | None:
    """`by` as the database knows them now, if they may do this in the ticket's queue.

    None stands for the system (rules, imports, customers' own words) and passes.

    Raises:
        PermissionDenied: without the permission, or the queue is not theirs.
    """
    if by is None:
        return None
    person = person_with(by, permission)
    if not Ticket.objects.seen_by(person).filter(pk=ticket.pk).exists():
        raise PermissionDenied(_("This ticket is in a queue that is not yours."))
    return person


def holders_of(codename: str) -> QuerySet[User]:
    """Active staff who hold that permission of the desk, by role or by themselves."""
    permission = Permission.objects.filter(content_type__app_label="support", codename=codename)
    holders = Q(is_superuser=True)
    holders |= Q(groups__permissions__in=permission) | Q(user_permissions__in=permission)
    ids = User.objects.filter(holders, is_active=True, is_staff=True).values("pk")
    return User.objects.filter(pk__in=ids)
