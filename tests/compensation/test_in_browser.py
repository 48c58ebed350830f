"""A batch's way through a real browser: priced, submitted, one award left out, approved, issued."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from compensation.batches import create_batch
from compensation.models import Award, Batch
from tests.browser import browser, needs_chromium
from tests.compensation.factories import PolicyVersionFactory, RuleFactory, activate
from tests.compensation.screens import signed_in
from tests.compensation.stories import submitted_batch
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, OutageFactory

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nobody_issues(monkeypatch):
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)


@pytest.fixture
def open_page(browser, live_server):
    """Opens a page of the admin as somebody."""

    def opened(client, path, **context_options):
        cookie = client.cookies["sessionid"].value
        context = browser.new_context(**context_options)
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    return opened


@pytest.fixture
def draft():
    """A draft for three customers who paid EUR 499.00, out of order for an hour."""
    version = PolicyVersionFactory()
    RuleFactory(version=version, position=1, uptime_to="100", label="Below 100 %: 10 %")
    activate(version)
    cohort = CohortFactory()
    OutageFactory(incident=cohort.incident)
    for name in ("Acme GmbH", "Bäckerei Huber", "Café Zentral"):
        subscription = SubscriptionFactory(customer=CustomerFactory(name=name))
        ExposureFactory(cohort=cohort, subscription=subscription)
    return create_batch(cohort.incident, version)


def url_of(batch):
    return f"/admin/compensation/batch/{batch.pk}/change/"


def test_batch_goes_from_draft_to_issued(open_page, draft):
    finance, _person = signed_in(Role.FINANCE, full_name="Claudia Roth")
    page = open_page(finance, url_of(draft))
    page.get_by_role("button", name="Price it now").click()
    page.get_by_role("button", name="Submit 3 awards, EUR 149.70").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Submit 3 awards, EUR 149.70 for approval?")
    dialog.get_by_role("button", name="Submit 3 awards").click()
    expect(page.get_by_text("Waits for an approval by somebody other")).to_be_visible()

    approver, _person = signed_in(Role.FINANCE_APPROVER, full_name="Andreas Weber")
    page = open_page(approver, url_of(draft))
    row = page.get_by_role("row", name="Bäckerei Huber")
    row.get_by_role("button", name="Sum").click()
    expect(row).to_contain_text("10 % of EUR 499.00 = EUR 49.90")
    row.get_by_role("button", name="Leave out").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Leave out Bäckerei Huber, EUR 49.90?")
    dialog.get_by_label("Why?").fill("Pays by barter")
    dialog.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_text("Bäckerei Huber is left out.")).to_be_visible()

    page.get_by_role("button", name="Approve 2 awards, EUR 99.80").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Approve 2 awards, EUR 99.80?")
    expect(dialog).to_contain_text("Issuing starts at once.")
    dialog.get_by_role("button", name="Approve 2 awards").click()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"0\s+of 2 issued"))

    Batch.objects.filter(pk=draft.pk).update(state="issuing", issuing_started_at=timezone.now())
    expect(page.get_by_text("Being issued. Nothing to do.")).to_be_visible(timeout=10_000)
    first = draft.awards.exclude(state="excluded").earliest("id")
    Award.objects.filter(pk=first.pk).update(state="issued", issued_at=timezone.now())
    expect(page.locator("#progress")).to_contain_text(
        re.compile(r"1\s+of 2 issued"), timeout=10_000
    )


def test_dialog_is_opened_and_left_by_keyboard(open_page):
    batch = submitted_batch(awards=2)
    approver, _person = signed_in(Role.FINANCE_APPROVER)
    page = open_page(approver, url_of(batch))
    button = page.get_by_role("button", name="Approve 2 awards, EUR 99.80")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Comment")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"You have approved batch {batch.number}.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_as_wide_as_the_window(open_page, width):
    batch = submitted_batch(awards=2)
    name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    type(batch.awards.first().customer).objects.update(name=name)
    approver, _person = signed_in(Role.FINANCE_APPROVER)
    for path in (
        "/admin/",
        url_of(batch),
        f"/admin/compensation/award/{batch.awards.first().pk}/change/",
    ):
        page = open_page(approver, path, viewport={"width": width, "height": 900})
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
