"""Whether the person at the keyboard has shown a second factor."""

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest

from backoffice.accounts.models import User


def has_second_factor(user: User) -> bool:
    """Whether `user` has one set up, or this installation asks for none (local use)."""
    return not settings.SECOND_FACTOR_REQUIRED or bool(is_mfa_enabled(user))


def used_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened with one, or this installation asks for none."""
    if not settings.SECOND_FACTOR_REQUIRED:
        return True
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)
