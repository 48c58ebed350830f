"""Signing in: those of django-allauth's pages that we offer.

Left out are its lists of e-mail addresses: whoever could add an address there could take over
the account pages that belong to it. Staff addresses are changed by an administrator.
"""

from allauth.account import urls as account
from django.urls import include, path

OFFERED = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",  # says that it is closed
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_request_login_code",
    "account_confirm_login_code",
}

urlpatterns = [
    *(pattern for pattern in account.urlpatterns if pattern.name in OFFERED),
    path("2fa/", include("allauth.mfa.urls")),
]
