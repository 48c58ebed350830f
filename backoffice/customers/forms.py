"""Forms that speak of customers."""

from allauth.account.forms import RequestLoginCodeForm

from backoffice.accounts.models import User
from backoffice.customers.contacts import ensure_contact


class RequestCodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Sends a sign-in code to staff, and to customers by the address we know of them."""

    _user: User | None

    def clean_email(self) -> str:
        # After the limit on attempts, which is the parent's.
        email: str = super().clean_email()
        if email and (self._user is None or not self._user.is_staff):
            self._user = ensure_contact(email)
        return email
