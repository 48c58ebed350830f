"""What people see of Stripe's events, and what they do about parked ones."""

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.webhooks.models import StripeEvent
from tests.accounts.factories import staff

pytestmark = pytest.mark.django_db
LIST = reverse("admin:webhooks_stripeevent_changelist")


def event(**fields):
    now = timezone.now()
    number = StripeEvent.objects.count()
    return StripeEvent.objects.create(
        **{
            "event_id": f"evt_{number}", "kind": "invoice.paid", "customer_id": f"cus_{number}",
            "body": b'{"id": "evt_0", "note": "<b>"}', "created_at": now, "received_at": now,
            "next_at": now, "state": "handled", **fields,
        }
    )  # fmt: skip


@pytest.fixture
def parked():
    return event(state="parked", error="KeyError: 'id'")


@pytest.fixture
def finance(client):
    client.force_login(staff(Role.FINANCE))
    return client


def page_of(row, door="change"):
    args = [row.pk]
    return reverse(f"admin:webhooks_stripeevent_{door}", args=args)


@pytest.mark.parametrize("events", [1, 3])
def test_list_takes_the_same_queries_whatever_it_shows(
    finance, events, django_assert_max_num_queries
):
    for _ in range(events):
        event()
    with django_assert_max_num_queries(12):
        assert finance.get(LIST).status_code == 200


def test_list_says_how_many_wait_for_a_person(finance, parked):
    assert "1 event could not be handled" in finance.get(LIST).content.decode()


def test_list_finds_by_event_and_by_customer(finance):
    one, _other = event(), event()
    for term in (one.event_id, one.customer_id):
        found = finance.get(LIST, {"q": term}).context["cl"].queryset
        assert list(found) == [one]


def test_parked_event_says_why_and_what_to_do(finance, parked):
    text = finance.get(page_of(parked)).content.decode()
    assert "KeyError: &#x27;id&#x27;" in text
    assert page_of(parked, "again") in text
    assert "&lt;b&gt;" in text


def test_handled_event_has_no_buttons(finance):
    row = event()
    assert page_of(row, "again") not in finance.get(page_of(row)).content.decode()


def test_button_handles_it_again(finance, parked):
    finance.post(page_of(parked, "again"))
    parked.refresh_from_db()
    assert parked.state == "waiting"


def test_button_ignores_it_with_a_reason(finance, parked):
    finance.post(page_of(parked, "ignore"), {"reason": ""})
    parked.refresh_from_db()
    assert parked.state == "parked"
    finance.post(page_of(parked, "ignore"), {"reason": "A test."})
    parked.refresh_from_db()
    assert parked.state == "ignored"
    assert parked.note.endswith(": A test.")
