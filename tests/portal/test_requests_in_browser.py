"""A customer on a phone, with the keyboard alone and without JavaScript: asks, reads, answers."""

import os

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.customers.portal import open_session
from support.models import Survey, Ticket
from support.tickets import add_note, default_queue, reply
from support.tokens import hash_of, token_for
from tests.browser import browser, needs_chromium
from tests.customers.factories import ComponentUseFactory, CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory
from tests.support.conftest import attachments_apart, nobody_woken
from tests.support.factories import agent

__all__ = ["attachments_apart", "browser", "nobody_woken"]

PICTURES = os.environ.get("PICTURES", "")

pytestmark = [
    *needs_chromium,
    pytest.mark.django_db(transaction=True),
]


def picture(page, name):
    main = page.locator("main").bounding_box()
    assert main["x"] + main["width"] <= page.viewport_size["width"]
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.fixture
def ada():
    customer = CustomerFactory(name="Ada GmbH", email="ada@example.com", time_zone="Europe/Berlin")
    subscription = SubscriptionFactory(customer=customer)
    ComponentUseFactory(subscription=subscription, component__name="Fibre access")
    incident = IncidentFactory(title="Fibre outage", started_at=timezone.now())
    ExposureFactory(cohort=CohortFactory(incident=incident), subscription=subscription)
    return customer


def press_until(page, locator):
    """The Tab key reaches it."""
    for _ in range(60):
        if locator.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_customer_asks_reads_and_answers_by_keyboard(
    browser, live_server, ada, settings, tmp_path, width, scheme
):
    settings.SUPPORT_UNDO_SECONDS = 0
    settings.PUBLIC_URL = live_server.url
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    name = f"{width}-{scheme}"
    _, url = open_session(ada, created_by="shop")
    page.goto(url)
    page.get_by_role("button").click()
    page.get_by_role("link", name="Requests", exact=True).click()
    picture(page, f"requests-{name}-1-empty")
    page.get_by_role("link", name="New request").click()
    choice = page.get_by_label("Fibre outage, since")
    press_until(page, page.get_by_label("Something else"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(choice).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("No internet")
    page.keyboard.press("Tab")
    page.keyboard.type("Nothing works since two.\nThe box blinks red.")
    (tmp_path / "box.txt").write_text("red")
    page.get_by_label("Attachments").set_input_files(tmp_path / "box.txt")
    picture(page, f"requests-{name}-2-new")
    press_until(page, page.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your request is sent.")).to_be_visible()
    ticket = Ticket.objects.get()
    ann = agent(ticket.queue)
    add_note(ticket, by=ann, text="Box of 2019.")
    reply(ticket, by=ann, text="It is done, see: https://example.com/status", then_status="solved")
    page.reload()
    expect(page.get_by_text("It is done, see")).to_be_visible()
    expect(page.get_by_text("Box of 2019.")).to_have_count(0)
    picture(page, f"requests-{name}-3-solved")
    press_until(page, page.get_by_label("Your message"))
    page.keyboard.type("It still blinks.")
    press_until(page, page.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("We are working on it")).to_be_visible()
    picture(page, f"requests-{name}-4-again")
    press_until(page, page.get_by_role("button", name="That solved it"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The request is solved.")).to_be_visible()
    page.get_by_role("link", name="Requests", exact=True).click()
    picture(page, f"requests-{name}-5-list")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopened) == ("solved", 1)
    context.close()


def test_click_in_the_mail_votes_by_the_page(browser, live_server, ada):
    ticket = Ticket.objects.create(
        subject="No internet", channel="web", customer=ada, queue=default_queue()
    )
    token = token_for("survey", f"csat:{ticket.pk}")
    Survey.objects.create(
        kind="csat", ticket=ticket, customer=ada, token_hash=hash_of(token), address="a@example.com"
    )
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{live_server.url}/survey/{token}/?score=4")
    expect(page.get_by_text("Your rating is 4.")).to_be_visible()
    assert Survey.objects.get().score == 4
    picture(page, "survey-voted")
    page.get_by_label("Do you want to say why?").fill("Quick.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your rating is 4.")).to_be_visible()
    assert Survey.objects.get().comment == "Quick."
    page.close()
