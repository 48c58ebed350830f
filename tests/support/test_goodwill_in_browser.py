"""An agent gives goodwill with the keyboard alone, in a real browser."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from support.models import Goodwill, PrioritySetting, Queue
from tests.browser import browser, needs_chromium
from tests.compensation.stories import submitted_batch
from tests.support.factories import TicketFactory, agent
from tests.support.test_goodwill import asleep, limit

__all__ = ["asleep", "browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, live_server):
    """A ticket about an incident that gives its customer EUR 49.90 once finance approves."""
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})
    PrioritySetting.objects.get_or_create(id=1)
    limit()
    batch = submitted_batch()
    ticket = TicketFactory.create(customer=batch.awards.get().customer, incident=batch.incident)
    client = Client()
    client.force_login(agent())
    context = browser.new_context()
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/support/ticket/{ticket.pk}/change/")
    return page


def test_goodwill_is_given_by_keyboard_alone(page):
    keys, preview = page.keyboard, page.locator("#goodwill-preview")
    keys.press("g")
    dialog = page.locator("#dialog-goodwill")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("EUR 49.90 credit, waits for finance in batch")
    page.get_by_label("Amount").focus()
    keys.type("25,01")
    expect(preview).to_contain_text("goes to finance: above your limit of EUR 25.00 per ticket.")
    expect(page.locator("#goodwill-give")).to_have_text("Ask finance")
    keys.press("Backspace")
    keys.type("0")
    expect(preview).to_contain_text("EUR 25.00 credit for")
    expect(preview).to_contain_text("issued at once.")
    keys.press("Enter")
    expect(dialog).to_contain_text("Say why: the customer reads it.")
    expect(page.get_by_label("Amount")).to_have_value("25,00")
    page.get_by_label("Why?", exact=False).first.focus()
    keys.type("Sorry for the wait.")
    page.get_by_label("Why more than the incident gives?").focus()
    keys.type("Their router broke.")
    keys.press("Tab")
    keys.press("Tab")
    expect(page.locator("#goodwill-give")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_text("EUR 25.00 credit: given, it is issued now.")).to_be_visible()
    expect(page.locator("#goodwill")).to_contain_text("approved, on its way")
    given = Goodwill.objects.get()
    assert (given.award.amount_minor, given.award.state) == (2500, "approved")
    assert (given.reason, given.despite) == ("Sorry for the wait.", "Their router broke.")
