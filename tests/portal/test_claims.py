"""Claims on the account pages: told in the customer's words and zone, answered at once."""

import uuid
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from django.utils.html import strip_tags

from compensation.batches import create_batch
from compensation.models import Award, Claim
from compensation.models.award import AwardState, Exclusion
from support.models import Ticket
from tests.compensation.claiming import BEGAN, NOW, claim, missed, outage, promise, user_of
from tests.compensation.factories import AwardFactory
from tests.customers.factories import ComponentFactory, SubscriptionFactory
from tests.portal.test_account import member

pytestmark = pytest.mark.django_db
NEW = "/account/claims/new/"


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(NOW, tick=False):
        yield


def visitor(client, customer):
    client.force_login(member(customer))

    def look(path, data=None):
        answer = client.get(path) if data is None else client.post(path, data, follow=True)
        body = answer.content.decode().partition("<main")[2].partition("</main>")[0]
        return answer.status_code, " ".join(strip_tags("<main" + body).split())

    return look


def form(**fields):
    return {
        "starts_at": "2026-10-14T14:02", "ends_at": "2026-10-14T15:02", "text": "All dead",
        "key": str(uuid.uuid4()),
    } | fields  # fmt: skip


def test_claim_is_answered_on_the_next_page(client):
    promise()
    found = outage()
    subscription = missed(found)
    look = visitor(client, subscription.customer)
    assert "Something did not work and is not listed? Tell us" in look("/account/")[1]
    status, page = look(NEW, form(component=found.component.pk))
    assert status == 200
    assert "You are right: Fibre outage Frankfurt" in page
    assert "By our terms you get EUR 49.90 for it." in page
    assert "must still approve it" in page
    assert "All dead" in page
    assert f"C-{Claim.objects.get().pk}, {found.component.name}" in look("/account/")[1]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Nach unseren Bedingungen bekommen Sie dafür 49,90 EUR."),
        ("ru", "По нашим условиям Вам за это полагается 49,90 EUR."),
    ],
)
def test_claim_is_answered_in_the_customers_language(client, language, told):
    promise()
    found = outage()
    look = visitor(client, missed(found, customer__language=language).customer)
    assert told in look(NEW, form())[1]


def test_times_are_the_customers(client):
    promise()
    found = outage()
    customer = missed(found, customer__time_zone="Asia/Tokyo").customer
    look = visitor(client, customer)
    assert "Time zone: Asia/Tokyo" in look(NEW)[1]
    look(NEW, form(starts_at="2026-10-14T23:02", ends_at="2026-10-15T00:02"))
    assert Claim.objects.get().starts_at == BEGAN


@pytest.mark.parametrize(
    ("field", "text", "utc"),
    [
        ("starts_at", "2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("ends_at", "2026-10-25T02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("starts_at", "2026-03-29T02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_hours_that_are_there_twice_or_never(client, field, text, utc):
    promise()
    look = visitor(client, SubscriptionFactory(customer__time_zone="Europe/Berlin").customer)
    other = {"starts_at": {"ends_at": text.replace("02:30", "04:00")},
             "ends_at": {"starts_at": text.replace("02:30", "01:00")}}[field]  # fmt: skip
    with time_machine.travel(datetime(2026, 11, 2, tzinfo=UTC), tick=False):
        look(NEW, form(**{field: text}, **other))
    assert getattr(Claim.objects.get(), field) == utc


def test_undecided_claim_leads_to_its_request(client):
    promise()
    look = visitor(client, user_of(ComponentFactory()).customer)
    page = look(NEW, form())[1]
    ticket = Ticket.objects.get()
    assert f"Your request has the number {ticket.number}." in page
    assert look(f"/account/requests/T-{ticket.pk}/")[0] == 200


def test_customer_can_disagree(client):
    promise()
    found = outage(minutes=30)
    look = visitor(client, missed(found).customer)
    page = look(NEW, form(ends_at="2026-10-14T14:32"))[1]
    assert "So by our terms nothing is due for it." in page
    said = Claim.objects.get()
    page = look(f"/account/claims/C-{said.pk}/person/", {})[1]
    assert f"Your request has the number {Ticket.objects.get().number}." in page
    assert "Not right?" not in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"starts_at": ""}, "Say when it began"),
        ({"starts_at": "yesterday"}, "This is no time"),
        ({"starts_at": "0001-01-01T00:00"}, "This is no time"),
        ({"starts_at": "1999-01-01T00:00"}, "too long ago"),
        ({"starts_at": "9999-12-31T23:59"}, "in the future"),
        ({"starts_at": "2026-10-14T14:02+99:00"}, "This is no time"),
        ({"ends_at": "2026-10-14T14:02"}, "It must end after it began."),
        ({"starts_at": "2" * 500}, "at most 40 characters"),
        ({"text": "x" * 5001}, "at most 5000 characters"),
        ({"text": "a\0b"}, "Null characters are not allowed."),
        ({"key": "x"}, "valid UUID"),
        ({"component": "999999999999999999999"}, "Select a valid choice"),
    ],
)
def test_nonsense_is_told_and_nothing_is_kept(client, wrong, told):
    promise()
    found = outage()
    look = visitor(client, user_of(found.component, customer__time_zone="Asia/Tokyo").customer)
    status, page = look(NEW, form() | wrong)
    assert (status, told in page) == (422, True), page
    assert not Claim.objects.exists()


def test_nobody_claims_for_another_or_reads_theirs(client):
    promise()
    found = outage()
    said = claim(missed(found))
    mallory = SubscriptionFactory()
    SubscriptionFactory(customer=mallory.customer)
    look = visitor(client, mallory.customer)
    assert look(f"/account/claims/C-{said.pk}/")[0] == 404
    assert look(f"/account/claims/C-{said.pk}/person/", {})[0] == 404
    status, page = look(NEW, form(subscription=said.subscription_id))
    assert (status, "Select a valid choice" in page) == (422, True)


def test_claim_takes_the_token_of_the_form():
    promise()
    found = outage()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member(user_of(found.component).customer))
    assert strict.post(NEW, form()).status_code == 403


def test_time_that_was_claimed_leads_to_its_answer(client):
    promise()
    found = outage()
    look = visitor(client, missed(found).customer)
    look(NEW, form())
    status, page = look(NEW, form())
    assert status == 422
    assert f"See what we answered to {Claim.objects.get().number}" in page


def test_without_claims_the_page_says_so_kindly(client):
    promise(claim_days=None)
    look = visitor(client, SubscriptionFactory().customer)
    assert "is not listed?" not in look("/account/")[1]
    status, page = look(NEW)
    assert (status, "Here nobody needs to claim" in page) == (200, True)
    assert look(NEW, form())[0] == 200
    assert not Claim.objects.exists()


def test_hostile_words_stay_words(client):
    promise()
    customer = user_of(ComponentFactory()).customer
    client.force_login(member(customer))
    answer = client.post(NEW, form(text="<script>alert(1)</script>"), follow=True)
    assert b"<script>alert" not in answer.content
    assert b"&lt;script&gt;alert(1)" in answer.content


def test_held_out_customer_reads_nothing_of_it(client):
    """They are told neither of the group nor of a credit, also where they claim."""
    terms = promise(is_voluntary=True, holdout_percent=10)
    found = outage()
    subscription = user_of(found.component)
    AwardFactory(
        batch=create_batch(found.incident, terms), subscription=subscription,
        state=AwardState.EXCLUDED, exclusion=Exclusion.HELD_OUT,
    )  # fmt: skip
    look = visitor(client, subscription.customer)
    pages = look("/account/")[1] + look("/account/credits/")[1] + look(NEW, form())[1]
    assert "A person looks at it and answers you." in pages
    for word in ("held", "hold-out", "EUR", "nothing is due", "left out"):
        assert word not in pages
    assert Award.objects.count() == 1
