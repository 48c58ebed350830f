"""An agent's first hour after an outage, in a real browser, with the keyboard alone."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from compensation.models import Award
from support import mass_reply, matching
from support.models import GoodwillLimit, Macro, Message, PrioritySetting, Queue
from support.models.ticket import Band
from support.tickets import raise_priority
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import agent, opened
from tests.support.keyboard import press, tab_to
from tests.support.test_goodwill import asleep

__all__ = ["asleep", "browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]
SORRY = "Hello {{ customer.first_name }}, you get {{ credit.amount }} for it."


@pytest.fixture
def urgent(settings, asleep):
    """The outage is over and Ada's credit booked; hers is the most urgent of two tickets."""
    settings.SUPPORT_UNDO_SECONDS = 60
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})
    PrioritySetting.objects.get_or_create(id=1)
    Macro.objects.create(name="Sorry", texts={"en": SORRY})
    incident = IncidentFactory.create(
        title="Fibre outage", state="resolved", resolved_at=timezone.now()
    )
    tickets = []
    for name in ("Emmy Noether", "Ada Byron"):
        customer = CustomerFactory.create(
            name=name, currency="EUR", stripe_customer_id=f"cus_{name[:3]}"
        )
        subscription = SubscriptionFactory.create(customer=customer)
        award = AwardFactory.create(
            batch=BatchFactory.create(incident=incident, state="issued"), subscription=subscription
        )
        Award.objects.filter(pk=award.pk).update(state="issued", issued_at=timezone.now())
        tickets.append(opened(customer=customer))
        matching.link(tickets[-1], incident, by=None)
    return raise_priority(tickets[-1], Band.URGENT, by=None, reason="the board asks")


@pytest.fixture
def signed_in(browser, live_server):
    def page_of(user):
        client = Client()
        client.force_login(user)
        context = browser.new_context()
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        return context.new_page()

    return page_of


def test_first_hour_by_keyboard_alone(signed_in, live_server, urgent):
    ann = agent()
    GoodwillLimit.objects.create(
        benefit="credit", user=ann, currency="EUR",
        per_ticket=2500, per_day=25_000, per_customer=5000,
    )  # fmt: skip
    type(urgent).objects.filter(pk=urgent.pk).update(band=Band.URGENT)
    page = signed_in(ann)
    keys, words = page.keyboard, page.get_by_label("Your words")

    page.goto(f"{live_server.url}/admin/support/ticket/")
    keys.press("n")
    page.wait_for_url(f"**/admin/support/ticket/{urgent.pk}/change/**")
    expect(page.get_by_label("State and next step")).to_contain_text("Open, yours.")

    expect(page.locator("#got")).to_contain_text(re.compile(r"EUR\s49.90 credit"))

    keys.press("m")
    expect(page.get_by_role("option", name="Sorry")).to_be_visible()
    keys.type("sorry")
    keys.press("Enter")
    expect(words).to_have_value(re.compile(r"Hello Ada, you get EUR\s49.90 for it."))
    words.focus()
    keys.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"To be sent in \d+ s"))).to_be_visible()

    expect(words).to_have_value("")
    keys.press("Escape")  # leaves the composer
    keys.press("g")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Goodwill for Ada Byron")
    tab_to(page, "Amount")
    keys.type("10")
    tab_to(page, "Why?")
    keys.type("You waited long.")
    tab_to(page, "Why more than the incident gives?")
    keys.type("She called twice.")
    expect(page.locator("#goodwill-preview")).to_contain_text(re.compile(r"EUR\s10.00"))
    press(page, "Give")
    expect(page.locator("#goodwill")).to_contain_text(re.compile(r"EUR\s10.00"))
    given = Award.objects.get(source="goodwill")
    assert (given.amount_minor, given.customer) == (1000, urgent.customer)

    keys.press("i")
    keys.type("Called, all is well.")
    keys.press("Control+Enter")
    expect(page.locator(".tk-message.note")).to_contain_text("Called, all is well.")

    answer_the_rest(signed_in(staff(Role.SUPPORT_LEAD)), live_server, urgent)


def answer_the_rest(lead, live_server, urgent):
    """The lead's one answer to everybody who has none yet."""
    lead.goto(f"{live_server.url}/admin/incidents/incident/{urgent.incident_id}/change/")
    expect(lead.locator("#incident-tickets")).to_contain_text("2 linked")
    press(lead, "Answer")
    expect(lead.get_by_label("State and next step")).to_contain_text("Write it")
    press(lead, "Send to 1 customer")
    expect(lead.get_by_role("dialog")).to_contain_text("Send to 1 customer")
    press(lead, "Send to 1 customer")
    expect(lead.locator("#progress")).to_contain_text("0 of 1 written")
    while not mass_reply.write_slice().is_over:
        pass
    expect(lead.locator("#progress")).to_contain_text("1 of 1 written")
    sent = Message.objects.get(mass_reply__isnull=False)
    assert sent.ticket.customer.name == "Emmy Noether"  # Ada has been answered just now
