"""What a customer sees of their own, and of nobody else's."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils.html import strip_tags

from backoffice.customers.models import Contact
from backoffice.customers.portal import open_session
from compensation.explanations import explain
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award
from incidents.models import IncidentUpdate
from tests.accounts.factories import UserFactory, staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import ComponentFactory, CustomerFactory, SubscriptionFactory
from tests.incidents.factories import (
    CohortFactory,
    ExposureFactory,
    IncidentFactory,
    OutageFactory,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("today"),
]
BOOKED = datetime(2026, 10, 15, 9, 0, tzinfo=UTC)


@pytest.fixture
def today():
    with time_machine.travel(datetime(2026, 11, 21, 12, 0, tzinfo=UTC)):
        yield


def seen(response):
    """The page's text as a reader sees it: without tags, blanks folded."""
    assert response.status_code == 200
    body = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(strip_tags("<main" + body).split())


def member(customer):
    user = UserFactory(language=customer.language if customer.language in {"en", "de"} else "en")
    Contact.objects.create(user=user, customer=customer)
    return user


def subscribed(**fields):
    return SubscriptionFactory(
        period_start=datetime(2026, 11, 1, tzinfo=UTC),
        period_end=datetime(2026, 12, 1, tzinfo=UTC),
        customer=CustomerFactory(**fields),
    )


def issued(subscription, **fields):
    """A credit that is booked, in the ledger too."""
    batch = BatchFactory(incident=fields.pop("incident", None) or IncidentFactory())
    award = AwardFactory(
        subscription=subscription, batch=batch, state="issued", issued_at=BOOKED, **fields
    )
    record_entries(
        [
            NewEntry(
                kind=award.benefit,
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=award.amount_minor,
                currency=award.currency,
                booked_at=BOOKED,
            )
        ]
    )
    return award


@pytest.fixture
def visiting(client):
    def visit(customer, path="/account/", **headers):
        client.force_login(member(customer))
        return client.get(path, headers=headers)

    return visit


def test_credit_shows_amount_incident_state_and_why(visiting):
    subscription = subscribed()
    award = issued(subscription)
    text = seen(visiting(subscription.customer))
    assert "Balance EUR 49.90 used on your next invoice, about 1 December" in text
    assert "EUR 49.90 Fibre outage Frankfurt, 14 October" in text
    assert "Booked 15 October used on your next invoice, about 1 December" in text
    assert " ".join(explain(award, "en").split()) in text


def test_credit_without_a_known_invoice_gives_no_date(visiting):
    subscription = SubscriptionFactory()
    issued(subscription)
    text = seen(visiting(subscription.customer))
    assert "Balance EUR 49.90 used on your next invoice EUR 49.90" in text


def test_trial_alone_is_no_credit_that_was_used_up(visiting):
    subscription = subscribed()
    issued(subscription, benefit="trial", amount_minor=0, days=7)
    text = seen(visiting(subscription.customer))
    assert "7 more days of service" in text
    assert "All your credits are used." not in text


def test_used_credit_names_its_invoice(visiting):
    subscription = subscribed()
    award = issued(subscription)
    record_entries(
        [
            NewEntry(
                kind="consumed",
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=-4990,
                currency="EUR",
                stripe_id="in_1",
                note="2026-0611",
                booked_at=datetime(2026, 11, 1, tzinfo=UTC),
            )
        ]
    )
    text = seen(visiting(subscription.customer))
    assert "EUR 49.90 used on invoice 2026-0611, 1 November" in text
    assert "All your credits are used." in text


@pytest.mark.parametrize("state", ["proposed", "excluded", "failed"])
def test_what_was_never_promised_is_not_shown(visiting, state):
    subscription = subscribed()
    AwardFactory(subscription=subscription, state=state)
    assert "You have no credits." in seen(visiting(subscription.customer))


@pytest.mark.parametrize("state", ["approved", "unknown"])
def test_what_is_on_its_way_says_so_and_is_no_balance_yet(visiting, state):
    subscription = subscribed()
    AwardFactory(subscription=subscription, state=state)
    text = seen(visiting(subscription.customer))
    assert "Is being booked" in text
    assert "Balance" not in text


def test_trial_and_priority_say_until_when(visiting):
    subscription = subscribed()
    issued(
        subscription,
        benefit=Award.Benefit.TRIAL,
        amount_minor=0,
        currency="",
        days=14,
        trial_end_target=datetime(2027, 1, 7, tzinfo=UTC),
    )
    issued(
        subscription,
        benefit=Award.Benefit.PRIORITY,
        amount_minor=0,
        currency="",
        days=1,
        priority_until=datetime(2026, 12, 24, tzinfo=UTC),
    )
    text = seen(visiting(subscription.customer))
    assert "14 more days of service" in text
    assert "Extended until 7 January 2027" in text
    assert "1 day of priority support" in text
    assert "Priority support until 24 December" in text


def test_page_is_german_for_german_customers(visiting):
    subscription = subscribed(language="de", time_zone="Europe/Berlin")
    issued(subscription)
    response = visiting(subscription.customer, **{"accept-language": "en"})
    text = seen(response)
    assert response.headers["Content-Language"] == "de"
    assert (
        "Guthaben 49,90 EUR wird mit Ihrer nächsten Rechnung verrechnet, etwa am 1. Dezember"
        in text
    )
    assert "49,90 EUR Fibre outage Frankfurt, 14. Oktober" in text
    assert "Gebucht am 15. Oktober" in text


def test_page_speaks_russian(visiting):
    subscription = subscribed(language="ru")
    assert "Компенсаций у Вас нет." in seen(visiting(subscription.customer))


def test_page_is_english_where_we_have_no_other(visiting):
    subscription = subscribed(language="fr")
    assert "You have no credits." in seen(visiting(subscription.customer))


@pytest.mark.parametrize("count", [1, 3])
def test_home_needs_as_many_queries_for_one_credit_as_for_three(
    client, django_assert_num_queries, count
):
    subscription = subscribed()
    for _ in range(count):
        issued(subscription)
    client.force_login(member(subscription.customer))
    # session, user, contact; running incidents, awards, ledger, subscriptions, claims and whether
    # there can be any
    with django_assert_num_queries(10):
        client.get("/account/")


def test_home_shows_five_and_the_rest_on_pages_of_twenty(visiting, client):
    subscription = subscribed()
    for _ in range(21):
        issued(subscription)
    assert visiting(subscription.customer).content.decode().count('class="card credit"') == 5
    response = client.get(reverse("portal-credits"))
    assert response.content.decode().count('class="card credit"') == 20
    assert "Page 1 of 2" in seen(response)
    assert client.get("/account/credits/?page=2").content.decode().count("card credit") == 1


def test_another_customers_credit_is_not_seen(visiting):
    mine, other = subscribed(), subscribed()
    issued(mine)
    issued(other, amount_minor=7777)
    assert "77.77" not in seen(visiting(mine.customer))


def test_incident_that_hit_the_customer(visiting):
    subscription = subscribed(time_zone="Europe/Berlin")
    incident = IncidentFactory(
        resolved_at=datetime(2026, 10, 14, 15, 2, tzinfo=UTC), state="resolved"
    )
    ExposureFactory(cohort=CohortFactory(incident=incident), subscription=subscription)
    OutageFactory(incident=incident, component=ComponentFactory(name="Fibre access"))
    hidden = ComponentFactory(name="Back room", is_public=False)
    OutageFactory(incident=incident, component=hidden)
    IncidentUpdate.objects.create(
        incident=incident,
        state="identified",
        body="An excavator has cut a cable.",
        published_at=datetime(2026, 10, 14, 14, 20, tzinfo=UTC),
    )
    response = visiting(subscription.customer, f"/account/incidents/{incident.number}/")
    text = seen(response)
    assert "Resolved Began 14 October, 16:02 Ended 14 October, 17:02" in text
    assert 'title="2026-10-14 14:02:00 UTC"' in response.content.decode()
    assert "How long it hit you 1 h out of order" in text
    assert "Fibre access: out of order 14 October, 16:02 to 17:02" in text
    assert "14 October, 16:20: The cause is found An excavator has cut a cable." in text
    assert "Time zone: Europe/Berlin" in text
    assert "Back room" not in text


def test_incident_of_another_customer_is_not_found(visiting):
    exposure = ExposureFactory()
    response = visiting(CustomerFactory(), f"/account/incidents/{exposure.incident.number}/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_incident_whose_number_no_database_takes_is_not_found(visiting):
    assert visiting(CustomerFactory(), "/account/incidents/%00/").status_code == 404


def test_incident_with_an_award_only_proposed_is_not_found(visiting):
    award = AwardFactory()
    response = visiting(award.customer, f"/account/incidents/{award.incident.number}/")
    assert response.status_code == 404


@pytest.mark.parametrize("outages", [1, 3])
def test_incident_needs_as_many_queries_for_one_outage_as_for_three(
    client, django_assert_num_queries, outages
):
    exposure = ExposureFactory()
    for _ in range(outages):
        OutageFactory(incident=exposure.incident)
    client.force_login(member(exposure.customer))
    with django_assert_num_queries(8):
        client.get(f"/account/incidents/{exposure.incident.number}/")


def test_running_incident_stands_on_the_front_page(visiting):
    exposure = ExposureFactory()
    text = seen(visiting(exposure.customer))
    assert "Out of order right now Fibre outage Frankfurt, since 14 October, 14:02" in text


@pytest.mark.parametrize("path", ["/account/", "/account/credits/", "/account/incidents/INC-1/"])
def test_strangers_are_sent_to_sign_in(client, path):
    response = client.get(path)
    assert (response.status_code, response.url) == (302, f"/accounts/login/code/?next={path}")


def test_staff_without_a_customer_get_a_page_that_says_so(client):
    client.force_login(staff())
    response = client.get("/account/")
    assert response.status_code == 403
    assert "not as a customer" in response.content.decode()


def test_customer_signs_in_by_code_and_lands_on_the_account(client):
    subscription = subscribed(email="ada@example.com")
    issued(subscription)
    client.get("/account/")
    client.post("/accounts/login/code/", {"email": "ada@example.com", "next": "/account/"})
    code = re.search(r"^ {4}(\S+)$", mail.outbox[-1].body, re.MULTILINE).group(1)
    response = client.post(
        "/accounts/login/code/confirm/", {"code": code, "next": "/account/"}, follow=True
    )
    assert response.redirect_chain == [("/account/", 302)]
    assert "EUR 49.90" in seen(response)
    assert client.get("/").url == "/account/"
    assert client.get("/admin/", follow=True).status_code == 403


# --- visits by one-time link ---------------------------------------------------------------------


def open_link(client, customer, return_url=""):
    _, url = open_session(customer, created_by="shop", return_url=return_url)
    return client.post("/" + url.partition("://")[2].partition("/")[2])


def test_visit_by_link_leads_back_and_ends(client, settings):
    settings.PORTAL_RETURN_HOSTS = ["app.example.com"]
    subscription = subscribed(language="de")
    issued(subscription)
    open_link(client, subscription.customer, "https://app.example.com/billing")
    response = client.get("/account/", headers={"accept-language": "en"})
    assert response.headers["Content-Language"] == "de"
    page = response.content.decode()
    assert '<a href="https://app.example.com/billing">Zurück zu app.example.com</a>' in page
    assert "Abmelden" not in page
    response = client.post("/account/end/")
    assert (response.status_code, response.url) == (302, "https://app.example.com/billing")
    assert client.get("/account/").status_code == 302


def test_visit_without_a_way_back_ends_on_a_page_that_says_so(client):
    open_link(client, CustomerFactory())
    assert "You can close this page now." in client.post("/account/end/").content.decode()


def test_visit_ends_in_the_customers_language(client):
    open_link(client, CustomerFactory(language="de"))
    response = client.post("/account/end/", headers={"accept-language": "en"})
    assert "Sie können diese Seite" in response.content.decode()


def test_visit_is_not_ended_by_following_a_link(client):
    open_link(client, CustomerFactory())
    assert client.get("/account/end/").status_code == 405
    assert client.get("/account/").status_code == 200


def test_pages_run_no_script_of_their_own(visiting):
    subscription = subscribed()
    issued(subscription)
    body = visiting(subscription.customer).content.decode()
    assert "<script" not in body
    assert " style=" not in body
    assert "onclick" not in body
