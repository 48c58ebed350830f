"""Who may decide about money: asked of the database at the moment of deciding."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from backoffice.accounts.models import User


def person_with(by: Any, permission: str) -> User:
    """`by` as the database knows them now: active staff who hold `permission`.

    Read again, so that neither a stale session nor an object changed in memory decides, and
    nothing but a person (an API key's holder, for one) passes.

    Raises:
        PermissionDenied: everyone else.
    """
    if not isinstance(by, User) or by.pk is None:
        raise PermissionDenied(_("Only a signed-in person may do this."))
    person = User.objects.filter(pk=by.pk, is_active=True, is_staff=True).first()
    if person is None or not person.has_perm(permission):
        raise PermissionDenied(_("You may not do this: it takes another role."))
    return person
