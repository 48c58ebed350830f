"""What we do when the sign-in library tells that something happened."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.accounts.models import User


@receiver(authenticator_added)
def count_new_factor_as_shown(
    request: HttpRequest, user: User, authenticator: Authenticator, **more: Any
) -> None:
    """Whoever has just set up a second factor has shown it: they need not do so again at once."""
    record_authentication(
        request,
        user,
        method="mfa",
        id=authenticator.pk,
        type=authenticator.type,
        reauthenticated=True,
    )
