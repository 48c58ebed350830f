"""The form on the ticket's page, the list, and the limits."""

import pytest
from django.contrib.auth.models import Group
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation.models import Award
from support.goodwill import page_part
from support.models import Goodwill, GoodwillLimit
from tests.compensation.screens import signed_in, words
from tests.compensation.stories import priced_batch
from tests.support.factories import TicketFactory, agent
from tests.support.test_goodwill import asleep, limit

pytestmark = pytest.mark.django_db
__all__ = ["asleep"]
KEY = "0" * 32


@pytest.fixture
def nora():
    return agent()


@pytest.fixture
def client(nora):
    client = Client()
    client.force_login(nora)
    return client


@pytest.fixture
def ticket():
    return TicketFactory.create(customer__name="Acme GmbH")


def door(ticket):
    return reverse("admin:support_ticket_goodwill", args=[ticket.pk])


def typed(**fields):
    return {
        "benefit": "credit", "amount": "20", "currency": "EUR", "reason": "Sorry.", "key": KEY,
    } | fields  # fmt: skip


def test_preview_while_typing(client, ticket):
    limit()
    page = words(client.get(door(ticket), typed(reason="")))
    assert page == "EUR 20.00 credit for Acme GmbH, issued at once. Give it"
    page = words(client.get(door(ticket), typed(amount="25,01")))
    assert "goes to finance: above your limit of EUR 25.00 per ticket." in page
    assert page.endswith("Ask finance")
    assert words(client.get(door(ticket), typed(amount=""))) == "Give it"
    assert "like 20 or 20.00" in words(client.get(door(ticket), typed(amount="20.005")))
    assert "like 20 or 20.00" in words(client.get(door(ticket), typed(amount="1,000.00")))
    assert not Award.objects.exists()


def test_post_gives_and_leads_back(client, ticket):
    limit()
    back = reverse("admin:support_ticket_change", args=[ticket.pk])
    answer = client.post(door(ticket), typed(amount="20.5"), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == back
    assert Goodwill.objects.get().award.amount_minor == 2050
    again = client.post(door(ticket), typed(amount="20.5"))
    assert (again.status_code, again.url) == (302, back)
    assert Award.objects.count() == 1


def test_errors_come_back_with_what_was_typed(client, ticket):
    limit()
    batch = priced_batch()
    customer = batch.awards.get().customer
    hit = TicketFactory.create(customer=customer, incident=batch.incident)
    answer = client.post(door(hit), typed(), headers={"HX-Request": "true"})
    page = words(answer)
    assert f"They have or get for {batch.incident.number}: EUR 49.90 credit" in page
    assert "say why they get more" in page
    assert 'value="20"' in answer.content.decode()
    answer = client.post(door(ticket), typed(reason=""), headers={"HX-Request": "true"})
    assert "Say why: the customer reads it." in words(answer)
    assert not Goodwill.objects.exists()


def test_other_queues_tickets_are_not_there(client, ticket):
    ticket.queue.members.add(agent())
    assert client.get(door(ticket), typed()).status_code == 404
    assert client.post(door(ticket), typed()).status_code == 404


def test_part_of_the_page(nora, ticket):
    limit()
    html = render_to_string(
        "admin/support/ticket/goodwill.html", {"goodwill": page_part(ticket, nora)}
    )
    assert "Give …" in html
    assert "EUR 25.00 within your limits" in html
    seen = page_part(ticket, signed_in(Role.AUDITOR)[1])
    html = render_to_string("admin/support/ticket/goodwill.html", {"goodwill": seen})
    assert "Give …" not in html
    assert "Nothing was given in this ticket." in html


def test_list_shows_what_was_given(client, ticket):
    limit()
    client.post(door(ticket), typed())
    page = words(client.get(reverse("admin:support_goodwill_changelist")))
    for said in ("EUR 20.00 credit", "Acme GmbH", ticket.number, "approved, on its way"):
        assert said in page
    customer = ticket.customer.reference
    for asked, found in [(ticket.number, True), (customer, True), ("T-1", False), ("x", False)]:
        page = words(client.get(reverse("admin:support_goodwill_changelist"), {"q": asked}))
        assert ("EUR 20.00 credit" in page) == found


def test_limits_are_typed_as_people_write_them():
    client, _person = signed_in(Role.ADMINISTRATOR)
    group = Group.objects.get(name=Role.SUPPORT_AGENT.value)
    add = reverse("admin:support_goodwilllimit_add")
    data = {
        "role": group.pk, "user": "", "benefit": "credit", "currency": "eur",
        "ticket_value": "25", "day_value": "100.50", "customer_value": "300",
    }  # fmt: skip
    assert client.post(add, data).status_code == 302
    made = GoodwillLimit.objects.get()
    assert (made.per_ticket, made.per_day, made.per_customer) == (2500, 10050, 30000)
    change = reverse("admin:support_goodwilllimit_change", args=[made.pk])
    assert 'value="100.50"' in client.get(change).content.decode()
    page = words(client.get(reverse("admin:support_goodwilllimit_changelist")))
    assert "Support agent" in page
    assert "EUR 25.00" in page
    for wrong, said in [
        ({"ticket_value": "much"}, "Write an amount"),
        ({"ticket_value": "-1"}, "Not below 0"),
        ({"currency": ""}, "Say of which currency"),
        ({"role": ""}, "either a role or a person"),
        ({}, "already exists"),
    ]:
        assert said in words(client.post(add, data | wrong))
    days = data | {"benefit": "trial", "currency": "", "ticket_value": "7", "day_value": "30"}
    assert client.post(add, days).status_code == 302


def test_limits_are_read_by_those_who_may_not_change_them():
    reader, _person = signed_in(Role.SUPPORT_LEAD)
    made = limit()
    page = words(reader.get(reverse("admin:support_goodwilllimit_change", args=[made.pk])))
    assert "EUR 25.00" in page
    assert "Ticket value" not in page
