"""One-time links, visits and contacts: who may see which account pages."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.customers import portal
from backoffice.customers.contacts import ensure_contact
from backoffice.customers.models import Contact, PortalSession
from backoffice.customers.portal import (
    COOKIE,
    PortalLinkError,
    current_customer,
    end_visit,
    open_session,
    portal_view,
    redeem,
)
from tests.accounts.factories import UserFactory
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def token_of(url):
    return url.rstrip("/").rpartition("/")[2]


def opened(customer=None, **options):
    customer = customer or CustomerFactory()
    return open_session(customer, created_by="shop", **options)


@pytest.fixture
def asking(rf):
    """A request with a visit's secret and a user."""

    def ask(secret="", user=None, **headers):
        request = rf.get("/account/credits/", headers=headers)
        request.user = user or AnonymousUser()
        request.htmx = "hx-request" in headers
        if secret:
            request.COOKIES[COOKIE] = secret
        return request

    return ask


def test_link_is_stored_as_a_hash_only(settings):
    settings.PUBLIC_URL = "https://amends.example.com"
    session, url = opened()
    token = token_of(url)
    assert url == f"https://amends.example.com/account/open/{token}/"
    assert len(token) == 43
    session.refresh_from_db()
    stored = " ".join(str(value) for value in vars(session).values())
    assert token not in stored
    secret = redeem(token)
    session.refresh_from_db()
    assert secret not in " ".join(str(value) for value in vars(session).values())


def test_link_opens_a_visit_once(asking):
    session, url = opened()
    secret = redeem(token_of(url))
    assert current_customer(asking(secret)) == session.customer
    with pytest.raises(PortalLinkError):
        redeem(token_of(url))
    assert current_customer(asking("wrong")) is None
    assert current_customer(asking()) is None


def test_link_expires(settings):
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        _, url = opened()
    with (
        time_machine.travel("2026-11-21T12:05:00Z", tick=False),
        pytest.raises(PortalLinkError),
    ):
        redeem(token_of(url))


def test_visit_expires(asking):
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        _, url = opened()
        secret = redeem(token_of(url))
    with time_machine.travel("2026-11-21T12:59:59Z", tick=False):
        assert current_customer(asking(secret)) is not None
    with time_machine.travel("2026-11-21T13:00:00Z", tick=False):
        assert current_customer(asking(secret)) is None


@pytest.mark.django_db(transaction=True)
def test_link_redeemed_by_many_at_once_opens_one_visit():
    _, url = opened()

    def attempt(_):
        try:
            return redeem(token_of(url))
        except PortalLinkError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        won = [secret for secret in pool.map(attempt, range(8)) if secret]
    assert len(won) == 1


def test_visit_ended_is_over(asking):
    _, url = opened()
    secret = redeem(token_of(url))
    end_visit(asking(secret), response := HttpResponse())
    assert response.cookies[COOKIE]["max-age"] == 0
    assert current_customer(asking(secret)) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com/billing?x=1",
        "http://app.example.com:8080/",
        "https://a.b.shop.test/",
        "",
    ],
)
def test_return_url_of_a_known_host_is_kept(settings, url):
    settings.PORTAL_RETURN_HOSTS = ["app.example.com", ".shop.test"]
    session, _ = opened(return_url=url)
    assert session.return_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "https://app.example.com.evil.test/",
        "https://app.example.com@evil.test/",
        "https://evil.test\\@app.example.com/",
        "https://user:pw@app.example.com/",
        "javascript:alert(1)",
        "//app.example.com/",
        "/billing",
        "ftp://app.example.com/",
        "https://[broken/",
        "https://app.example.com/" + "x" * 200,
        "https://app.example.com/\r\nSet-Cookie: a=b",
    ],
)
def test_return_url_elsewhere_is_refused(settings, url):
    settings.PORTAL_RETURN_HOSTS = ["app.example.com"]
    with pytest.raises(ValidationError) as caught:
        opened(return_url=url)
    assert list(caught.value.message_dict) == ["return_url"]
    assert not PortalSession.objects.exists()


def test_door_get_uses_nothing_up_and_post_sets_the_cookie(settings):
    _, url = opened()
    client = Client(enforce_csrf_checks=True)
    for method in (client.get, client.head, client.get):
        answer = method(url)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert "no-store" in answer.headers["Cache-Control"]
    assert PortalSession.objects.get().redeemed_at is None
    assert client.post(url).status_code == 403
    answer = client.post(url, headers={"X-CSRFToken": client.cookies["csrftoken"].value})
    assert (answer.status_code, answer.url) == (303, "/account/")
    cookie = answer.cookies[COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/account/", True, "Lax")
    assert cookie["max-age"] == 3600
    answer = client.post(url, headers={"X-CSRFToken": client.cookies["csrftoken"].value})
    assert answer.status_code == 410
    assert "This link no longer works" in answer.text


def test_door_cookie_is_secure_in_production(settings):
    settings.LOCAL = False
    portal.remember_visit(response := HttpResponse(), "s")
    assert response.cookies[COOKIE]["secure"] is True


# --- account pages -----------------------------------------------------------------------------


@portal_view
def page(request):
    template = engines["django"].from_string(
        "{% load i18n tz %}{% get_current_language as language %}"
        "{% get_current_timezone as zone %}{{ language }} {{ zone }}"
    )
    return TemplateResponse(request, template, {"name": request.customer.name})


def test_page_reads_as_the_customer_of_the_link(asking):
    customer = CustomerFactory(language="de", time_zone="Europe/Berlin")
    _, url = opened(customer)
    answer = page(asking(redeem(token_of(url))))
    assert answer.content.decode() == "de Europe/Berlin"
    assert "no-store" in answer.headers["Cache-Control"]


def test_page_of_a_customer_with_unknown_zone_or_language_reads_in_english_and_utc(asking):
    _, url = opened(CustomerFactory(language="fr", time_zone="Mars/Base"))
    assert page(asking(redeem(token_of(url)))).content.decode() == "en UTC"


def test_page_sends_strangers_to_sign_in(asking):
    answer = page(asking())
    assert (answer.status_code, answer.url) == (302, "/accounts/login/code/?next=/account/credits/")
    answer = page(asking(**{"hx-request": "true"}))
    assert answer.headers["HX-Redirect"] == "/accounts/login/code/"


def test_page_refuses_users_without_a_customer(asking):
    with pytest.raises(PermissionDenied):
        page(asking(user=UserFactory(is_staff=True)))


def test_link_visit_stands_before_the_signed_in_contact(asking):
    mine, linked = CustomerFactory(), CustomerFactory()
    user = UserFactory()
    Contact.objects.create(user=user, customer=mine)
    assert current_customer(asking(user=user)) == mine
    _, url = opened(linked)
    assert current_customer(asking(redeem(token_of(url)), user=user)) == linked


# --- contacts ----------------------------------------------------------------------------------


def test_contact_is_made_for_the_one_customer_of_an_address(asking):
    customer = CustomerFactory(email="Ada@Example.com", language="de", time_zone="Europe/Berlin")
    user = ensure_contact("ada@example.COM")
    assert (user.email, user.language, user.time_zone) == (
        "ada@example.com", "de", "Europe/Berlin",
    )  # fmt: skip
    assert not user.has_usable_password()
    assert not user.is_staff
    assert current_customer(asking(user=user)) == customer
    assert ensure_contact("ada@example.com") == user
    assert User.objects.count() == Contact.objects.count() == 1


def test_contact_is_not_made_for_strangers_shared_addresses_staff_or_deactivated():
    CustomerFactory(email="two@example.com")
    CustomerFactory(email="two@example.com")
    staff_user = UserFactory(is_staff=True)
    CustomerFactory(email=staff_user.email)
    gone = UserFactory(is_active=False)
    CustomerFactory(email=gone.email)
    CustomerFactory(email="")
    for email in ("x@example.com", "two@example.com", staff_user.email, gone.email, ""):
        assert ensure_contact(email) is None
    assert not Contact.objects.exists()


def test_contact_by_address_ends_when_the_customer_has_another_address(asking):
    customer = CustomerFactory(email="old@example.com")
    user = ensure_contact("old@example.com")
    customer.email = "new@example.com"
    customer.save()
    assert current_customer(asking(user=user)) is None
    assert ensure_contact("old@example.com") is None
    other = CustomerFactory(email="old@example.com")
    assert ensure_contact("old@example.com") == user
    assert current_customer(asking(user=user)) == other


def test_contact_made_by_staff_stays(asking):
    contact = Contact.objects.create(user=UserFactory(), customer=CustomerFactory())
    assert current_customer(asking(user=contact.user)) == contact.customer
    assert ensure_contact(contact.user.email) == contact.user


def test_sign_in_by_code_answers_strangers_and_customers_alike(client, mailoutbox, settings):
    CustomerFactory(email="ada@example.com")
    address = reverse("account_request_login_code")
    answers = [
        client.post(address, {"email": email}) for email in ("ada@example.com", "x@example.com")
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]
    assert User.objects.get().contact.customer.email == "ada@example.com"


def test_current_customer_asks_once(asking, django_assert_num_queries):
    _, url = opened()
    request = asking(redeem(token_of(url)))
    with django_assert_num_queries(1):
        current_customer(request)
        current_customer(request)
