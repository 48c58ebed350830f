"""The queue page as an agent uses it: by keyboard alone."""

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from support import presence
from support.models import Queue, SavedView, Ticket
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.support.factories import agent, opened

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ann():
    cache.clear()
    # What migrations made is gone after the first test that really commits.
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})
    return agent()


@pytest.fixture
def page(browser, live_server, ann):
    client = Client()
    client.force_login(ann)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.address = f"{live_server.url}/admin/support/ticket/"
    return page


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")


def test_an_agent_moves_selects_assigns_searches_and_saves_by_keyboard(page, ann):
    tickets = [opened(subject=f"Matter {n}") for n in range(3)]
    keys = page.keyboard
    page.goto(page.address)
    keys.press("j")
    assert focused(page) == f"T-{tickets[0].pk} Matter 0"
    keys.press("ArrowDown")
    keys.press("j")
    keys.press("j")  # the last one stays
    assert focused(page) == f"T-{tickets[2].pk} Matter 2"
    keys.press("k")
    assert focused(page) == f"T-{tickets[1].pk} Matter 1"
    keys.press("x")
    keys.press("j")
    keys.press("x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    keys.press("a")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Assign 2 tickets")
    keys.press("Enter")
    expect(page.get_by_text("2 done.")).to_be_visible()
    assert set(Ticket.objects.filter(assignee=ann)) == set(tickets[1:])
    keys.press("/")
    keys.type("Matter 2")
    keys.press("Enter")
    expect(page.get_by_text("1 ticket was found for “Matter 2”.")).to_be_visible()
    keys.press("v")
    keys.type("Second matters")
    keys.press("Enter")
    expect(page.get_by_text("Saved as “Second matters”.")).to_be_visible()
    expect(page.get_by_role("link", name="Second matters")).to_have_attribute(
        "aria-current", "page"
    )
    assert SavedView.objects.get().query == "q=Matter+2"
    keys.press("j")
    keys.press("Enter")
    expect(page).to_have_url(f"{page.address}{tickets[2].pk}/change/")


def test_n_takes_the_next_ticket(page, ann):
    ticket = opened()
    page.goto(page.address)
    page.keyboard.press("n")
    expect(page).to_have_url(f"{page.address}{ticket.pk}/change/")
    assert Ticket.objects.get().assignee == ann


def test_the_help_names_the_keys_and_switches_them_off(page, ann):
    opened()
    page.goto(page.address)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    for words in ("Take the next ticket", "Search", "Select the ticket, or not", "Assign"):
        expect(dialog).to_contain_text(words)
    page.get_by_label("Single keys work in this browser").press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert "Matter" not in focused(page)
    assert page.locator(".q-open:focus").count() == 0
    page.keyboard.press("?")
    page.get_by_label("Single keys work in this browser").press("Space")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.locator(".q-open:focus").count() == 1


def test_a_key_opens_the_filter_and_the_ticket_for_one_thing(page, ann):
    ticket = opened()
    page.goto(page.address)
    page.keyboard.press("f")
    expect(page.get_by_label("Status", exact=True)).to_be_focused()
    page.get_by_label("Assigned to").select_option("nobody")
    page.get_by_role("button", name="Show these").press("Enter")
    expect(page).to_have_url(f"{page.address}?assignee=none")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page).to_have_url(f"{page.address}{ticket.pk}/change/")


def test_the_list_tells_who_is_answering(page, ann):
    ticket = opened()
    presence.note_presence(
        ticket.pk, staff(Role.SUPPORT_LEAD, full_name="Ben Ito"), presence.ANSWERING
    )
    page.goto(page.address)
    expect(page.get_by_text("Ben Ito is answering")).to_be_visible()


def test_closing_many_asks_with_the_figures(page, ann):
    for _n in range(2):
        opened()
    page.goto(page.address)
    page.keyboard.press("X")
    page.keyboard.press("s")
    page.get_by_label("Status", exact=True).select_option("closed")
    page.get_by_role("button", name="Set status").press("Enter")
    expect(page.get_by_text("Close 2 tickets for good?")).to_be_visible()
    assert not Ticket.objects.filter(status="closed").exists()
    page.get_by_role("button", name="Close 2 tickets").press("Enter")
    expect(page.get_by_text("2 done.")).to_be_visible()
    assert Ticket.objects.filter(status="closed").count() == 2
