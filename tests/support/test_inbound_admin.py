import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.roles import Role
from support.intake import handle_inbound, store_inbound
from support.models import Inbound
from tests.accounts.factories import staff
from tests.channels.odd_mail import ODD, mail

pytestmark = pytest.mark.django_db
LIST = reverse("admin:support_inbound_changelist")


@pytest.fixture
def lead(client):
    client.force_login(staff(Role.SUPPORT_LEAD))
    return client


def came(number):
    raw = mail(
        "From: ada@example.com",
        f"Message-ID: <{number}@example.com>",
        f"Subject: Matter {number}.",
        body="<script>x",
    )
    return store_inbound("email", "support@amends.example", raw)


def test_list_shows_what_became_of_it(lead):
    came(1)
    handle_inbound()
    Inbound.objects.update(state="failed", error="ZeroDivisionError: boom")
    page = lead.get(LIST).content.decode()
    assert "Matter 1." in page
    assert Inbound.objects.get().ticket.number in page
    assert "ZeroDivisionError: boom" in page


def test_list_costs_the_same_for_one_and_three(lead):
    def queries():
        with CaptureQueriesContext(connection) as told:
            lead.get(LIST)
        assert not any('"support_inbound"."raw"' in query["sql"] for query in told)
        return len(told)

    came(1)
    handle_inbound()
    one = queries()
    came(2)
    came(3)
    handle_inbound()
    assert queries() == one


def test_page_shows_the_beginning_as_text(lead):
    row = came(1)
    page = lead.get(reverse("admin:support_inbound_change", args=[row.pk])).content.decode()
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page


@pytest.mark.parametrize("name", ["raw 8 bit", "nul", "utf-16 without its mark"])
def test_page_shows_odd_mail(lead, name):
    row = store_inbound("email", "", ODD[name])
    assert lead.get(reverse("admin:support_inbound_change", args=[row.pk])).status_code == 200


def test_found_by_ticket_or_message_id(lead):
    came(1)
    came(2)
    handle_inbound()
    first = Inbound.objects.order_by("id").first()
    for term in (first.ticket.number, "<1@example.com>"):
        page = lead.get(LIST, {"q": term}).content.decode()
        assert "Matter 1." in page
        assert "Matter 2." not in page
