"""What differs from django-allauth's own ways."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: staff are made by administrators, portal users by imports."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        # It also stops somebody who asks for code after code, who has failed at nothing.
        "too_many_login_attempts": _("Too many attempts: wait a few minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it in the addressee's language, whatever browser asked for it."""
        user = User.objects.filter(email__iexact=email).only("language").first()
        with translation.override(user.language if user else translation.get_language()):
            super().send_mail(template_prefix, email, context)
