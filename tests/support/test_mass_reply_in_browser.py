"""A mass reply in a real browser, with the keyboard alone: draft, preview, leave one out, send."""

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from support import mass_reply, matching
from support.models import MassReply, Message, PrioritySetting, Queue
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import opened
from tests.support.keyboard import press, tab_to

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def desk():
    """The rows of the first migration, which tests that commit have emptied."""
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})
    PrioritySetting.objects.get_or_create(id=1)


@pytest.fixture
def incident():
    """Over, with the tickets of three customers in two languages."""
    incident = IncidentFactory.create(
        title="Fibre outage", state="resolved", resolved_at=timezone.now()
    )
    for name, language in [("Ada Byron", "en"), ("Emmy Noether", "de"), ("Alan Turing", "en")]:
        ticket = opened(customer=CustomerFactory.create(name=name, language=language))
        matching.link(ticket, incident, by=None)
    return incident


@pytest.fixture
def page(browser, live_server):
    client = Client()
    client.force_login(staff(Role.SUPPORT_LEAD))
    context = browser.new_context()
    value = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
    page = context.new_page()
    page.base = live_server.url
    return page


def test_mass_reply_is_sent_by_keyboard_alone(page, incident):
    page.goto(f"{page.base}/admin/incidents/incident/{incident.pk}/change/")
    expect(page.locator("#incident-tickets")).to_contain_text("3 linked")
    press(page, "Answer all 3 at once")
    expect(page.get_by_label("State and next step")).to_contain_text("Write it, look at some real")
    expect(page.locator("#preview li")).to_have_count(3)

    tab_to(page, "English")
    page.keyboard.press("Control+a")
    page.keyboard.type("Hello {{ customer.first_name }}, it works again.")
    press(page, "Preview")
    expect(page.locator("#preview")).to_contain_text("Hello Ada, it works again.")
    page.locator("#text-en").focus()
    press(page, "Save")
    expect(page.locator("body")).to_contain_text("Saved.")

    expect(page.locator("#recipients tbody tr")).to_have_count(3)
    press(page, "Leave out T-")
    tab_to(page, "Why?")
    page.keyboard.type("I call her.")
    press(page, "Leave it out")
    expect(page.get_by_label("Who gets it")).to_contain_text("by hand 1")

    press(page, "Send to 2 customers")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Send to 2 customers, in 2 languages, and solve their tickets?")
    press(page, "Send to 2 customers")
    expect(page.locator("#progress")).to_contain_text("0 of 2 written")
    while not mass_reply.write_slice().is_over:
        pass
    expect(page.get_by_label("State and next step")).to_contain_text("All is written.")
    expect(page.locator("#progress")).to_contain_text("2 of 2 written")
    assert MassReply.objects.get().state == "done"
    assert Message.objects.filter(mass_reply__isnull=False).count() == 2


def test_ticket_is_unlinked_in_one_press(page, incident):
    ticket = incident.tickets.all()[0]
    page.goto(f"{page.base}/admin/support/ticket/{ticket.pk}/change/")
    card = page.locator("#ticket-incident")
    expect(card).to_contain_text("Fibre outage")
    card.get_by_role("button", name="Unlink").focus()
    page.keyboard.press("Enter")
    expect(card).to_contain_text(f"Not about {incident.number}")
    ticket.refresh_from_db()
    assert ticket.incident is None
