"""What differs from django-allauth's own ways."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: staff are made by administrators, portal users by imports."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
