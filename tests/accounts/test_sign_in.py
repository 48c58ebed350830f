"""Signing in by e-mailed code, by password, with a second factor; and what refuses to."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.second_factor import used_second_factor
from tests.accounts.factories import PASSWORD, UserFactory, staff
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db

ASK = "/accounts/login/code/"
CONFIRM = "/accounts/login/code/confirm/"


def ask_for_code(client, email, **extra):
    response = client.post(ASK, {"email": email}, **extra)
    assert (response.status_code, response.url) == (302, CONFIRM)
    return mail.outbox[-1]


def code_in(message):
    return re.search(r"^ {4}(\S+)$", message.body, re.MULTILINE).group(1)


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_code_signs_in(client):
    user = staff()
    message = ask_for_code(client, user.email)
    assert message.to == [user.email]
    assert message.subject == f"{code_in(message)} is your sign-in code for Amends"
    assert code_in(message) in message.alternatives[0].content
    response = client.post(CONFIRM, {"code": code_in(message)})
    assert (response.status_code, response.url) == (302, "/")
    assert is_signed_in(client)


def test_code_entered_without_its_dash_and_in_small_letters(client):
    message = ask_for_code(client, staff().email)
    client.post(CONFIRM, {"code": code_in(message).replace("-", "").lower()})
    assert is_signed_in(client)


def test_wrong_code_says_so_and_three_end_the_attempt(client):
    ask_for_code(client, staff().email)
    response = client.post(CONFIRM, {"code": "WRONG"})
    assert "Incorrect code." in response.content.decode()
    client.post(CONFIRM, {"code": "WRONG"})
    response = client.post(CONFIRM, {"code": "WRONG"}, follow=True)
    assert response.redirect_chain[-1][0] in {reverse("account_login"), ASK}
    assert not is_signed_in(client)


def test_code_expires_after_ten_minutes(client):
    with time_machine.travel(timezone.now()) as clock:
        message = ask_for_code(client, staff().email)
        clock.shift(timedelta(minutes=11))
        client.post(CONFIRM, {"code": code_in(message)})
    assert not is_signed_in(client)


def test_code_works_once(client):
    user = staff()
    code = code_in(ask_for_code(client, user.email))
    client.post(CONFIRM, {"code": code})
    client.post("/accounts/logout/")
    client.post(CONFIRM, {"code": code})
    assert not is_signed_in(client)


def test_new_code_can_be_asked_for(client):
    first = code_in(ask_for_code(client, staff().email))
    client.post(CONFIRM, {"action": "resend"})
    second = code_in(mail.outbox[-1])
    assert (len(mail.outbox), first == second) == (2, False)
    client.post(CONFIRM, {"code": second})
    assert is_signed_in(client)


def test_unknown_address_looks_the_same_and_gets_a_mail(client):
    message = ask_for_code(client, "stranger@example.com")
    assert "We do not know this address." in message.body
    assert "stranger@example.com" in client.get(CONFIRM).content.decode()


def test_fourth_code_within_a_minute_is_refused(client):
    user = staff()
    for _ in range(3):
        ask_for_code(Client(), user.email)
    response = client.post(ASK, {"email": user.email})
    assert len(mail.outbox) == 3
    assert "Too many attempts: wait a few minutes" in response.content.decode()


def test_too_many_requests_from_one_address_get_the_429_page(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    response = client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert response.status_code == 429
    assert "Wait a minute" in response.content.decode()


def test_wrong_passwords_are_limited(client):
    user = staff()
    for _ in range(5):
        client.post("/accounts/login/", {"login": user.email, "password": "wrong password"})
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert not is_signed_in(client)
    assert "Too many attempts: wait a few minutes" in response.content.decode()


def test_password_signs_staff_in(client):
    user = staff()
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/").url == reverse("admin:index")


def test_admin_goes_through_this_sign_in(client):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/admin/", "/admin/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_leads_only_into_this_house(client, wanted, given):
    user = staff()
    data = {"login": user.email, "password": PASSWORD, "next": wanted}
    assert client.post("/accounts/login/", data).url == given


def test_inactive_user_gets_no_code(client):
    user = UserFactory(is_active=False)
    client.post(ASK, {"email": user.email})
    assert [m for m in mail.outbox if "sign-in code" in m.subject] == []


def test_signing_up_is_closed(client):
    response = client.get("/accounts/signup/")
    assert "No registration needed" in response.content.decode()
    client.post("/accounts/signup/", {"email": "new@example.com"})
    assert not type(UserFactory.build()).objects.filter(email="new@example.com").exists()


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/confirm-email/"])
def test_addresses_cannot_be_added(client, path):
    client.force_login(UserFactory())
    assert client.get(path).status_code == 404


def test_password_reset_by_link(client):
    user = staff()
    client.post("/accounts/password/reset/", {"email": user.email})
    link = re.search(r"https?://testserver(\S+)", mail.outbox[-1].body).group(1)
    page = client.get(link, follow=True)
    assert "Set a new password" in page.content.decode()
    new = "a longer battery staple"
    page = client.post(
        page.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True
    )
    assert "Password changed" in page.content.decode()
    client.post("/accounts/login/", {"login": user.email, "password": new})
    assert is_signed_in(client)


def test_mail_speaks_the_addressees_language(client):
    user = staff(language="de")
    message = ask_for_code(client, user.email, headers={"accept-language": "en"})
    assert message.subject == f"{code_in(message)} ist Ihr Anmeldecode für Amends"
    assert "Ihr Anmeldecode:" in message.body


def test_page_speaks_the_browsers_language(client):
    page = client.get(ASK, headers={"accept-language": "de-AT,de;q=0.9"})
    assert page.headers["Content-Language"] == "de"
    assert "Geben Sie Ihre E-Mail-Adresse ein" in page.content.decode()
    assert '<html lang="de">' in page.content.decode()


def test_signed_in_page_speaks_the_users_language_and_says_so(client):
    client.force_login(staff(language="de"))
    page = client.get("/accounts/2fa/", headers={"accept-language": "en"})
    assert page.headers["Content-Language"] == "de"
    assert "Zweiter Faktor" in page.content.decode()


def test_owner_is_told_of_a_new_password_in_their_language(client):
    user = staff(language="de", time_zone="Europe/Berlin")
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    new = "a longer battery staple"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/accounts/password/change/", data, headers={"user-agent": "Firefox"})
    message = mail.outbox[-1]
    assert message.subject == "Ihr Passwort wurde geändert"
    assert "Von der Adresse: 127.0.0.1\nMit: Firefox" in message.body


# --- second factor --------------------------------------------------------------------------


def with_app(user):
    return TOTP.activate(user, generate_totp_secret()).instance


def app_code(authenticator):
    from allauth.mfa.totp.internal.auth import (
        format_hotp_value,
        hotp_value,
        yield_hotp_counters_from_time,
    )

    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(authenticator.wrap().instance.data["secret"], counter))


def request_of(client, user):
    request = RequestFactory().get("/")
    request.session, request.user = client.session, user
    return request


def test_second_factor_is_asked_for_after_the_code(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = staff()
    app = with_app(user)
    client.post(CONFIRM, {"code": code_in(ask_for_code(client, user.email))})
    assert not is_signed_in(client)
    page = client.get("/accounts/2fa/authenticate/")
    assert "Enter the code your authenticator app shows" in page.content.decode()
    assert "Use a passkey" not in page.content.decode()  # this user has none
    client.post("/accounts/2fa/authenticate/", {"code": app_code(app)})
    assert is_signed_in(client)
    assert used_second_factor(request_of(client, user))


def test_session_without_second_factor_is_known_as_such(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = staff()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert is_signed_in(client)
    assert not used_second_factor(request_of(client, user))


@pytest.mark.django_db(transaction=True)  # the library tells only after the commit
def test_staff_who_signed_in_by_code_set_up_an_app(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    user = UserFactory(is_staff=True)
    user.set_unusable_password()
    user.save()
    client.post(CONFIRM, {"code": code_in(ask_for_code(client, user.email))})
    page = client.get("/accounts/2fa/totp/activate/")
    body = page.content.decode()
    assert "data:image/svg+xml" in body
    secret = re.search(r"<code>(\w+)</code>", body).group(1)
    stub = Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": secret})
    page = client.post("/accounts/2fa/totp/activate/", {"code": app_code(stub)}, follow=True)
    assert "Print them or keep them in a safe place" in page.content.decode()
    assert used_second_factor(request_of(client, user))
    assert Authenticator.objects.filter(user=user).count() == 2
    assert mail.outbox[-1].subject == "Authenticator app added"


def test_recovery_code_replaces_the_second_factor_once(client):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    user = staff()
    with_app(user)
    codes = RecoveryCodes.activate(user)
    spare = codes.get_unused_codes()[0]
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": spare})
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": spare})
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/password/change/",
        "/accounts/logout/",
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_pages_of_the_signed_in_open(client, path, language):
    user = staff(language=language)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get(path)
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/2fa/recovery-codes/download/",
    ],
)
def test_pages_of_those_with_second_factor_open(client, path):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    user = staff()
    app = with_app(user)
    RecoveryCodes.activate(user)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": app_code(app)})
    assert client.get(path, follow=True).status_code == 200


def test_settings_of_the_second_factor_ask_again_who_it_is(client):
    user = staff()
    with_app(user)
    client.force_login(user)
    page = client.get("/accounts/2fa/totp/deactivate/", follow=True)
    assert "Is it you?" in page.content.decode()


def test_russian_customer_gets_the_code_in_russian(client):
    customer = CustomerFactory(language="ru", email="anna@example.com")
    message = ask_for_code(client, customer.email, headers={"accept-language": "en"})
    assert "Ваш код для входа" in message.subject
    assert "Введите его" in message.body
