"""The policy editor as a person's browser meets it."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from compensation.models import PolicyVersion
from compensation.policies import install_ready_made
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.customers.factories import SubscriptionFactory

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, live_server):
    client = Client()
    client.force_login(staff(Role.FINANCE))
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return context.new_page()


def test_a_row_is_added_corrected_moved_and_put_into_force(page, live_server):
    SubscriptionFactory(plan="Business")
    version = install_ready_made("aws-s3-standard")
    page.goto(f"{live_server.url}/admin/compensation/policyversion/{version.pk}/change/")
    page.get_by_role("button", name="+ Row").click()
    row = page.locator("[data-table=rules] [data-row]").last
    expect(row.get_by_label("order")).to_have_value("5")
    row.get_by_label("plans").fill("Busines")
    row.get_by_label("credit", exact=True).select_option("fixed amount")
    expect(row.get_by_label("percent, multiple or hours")).to_be_hidden()
    row.get_by_label("fixed amounts").fill("USD five")
    row.get_by_label("fixed amounts").blur()
    # The words follow what is typed, before anything is saved.
    expect(row.locator(".pv-words")).to_contain_text("“USD five” is no amount")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 5, fixed amounts: “USD five”")
    row = page.locator("[data-table=rules] [data-row]").last
    row.get_by_label("fixed amounts").fill("USD 5")
    row.get_by_label("fixed amounts").blur()
    expect(row.locator(".pv-words")).to_have_text("USD 5.00, at most 100 % of the fee")
    row.get_by_role("button", name="Move up").click()
    row = page.locator("[data-table=rules] [data-row]").nth(3)
    row.get_by_role("button", name="Move up").click()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_label("What was found")).to_contain_text("Row 3: Nobody has “Busines” now.")
    page.locator("[data-table=rules] [data-row]").nth(2).get_by_label("plans").fill("Business")
    page.get_by_role("button", name="Save and activate …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("How amounts are rounded is not said")
    dialog.get_by_label("Why is that accepted?").fill("The text does not say.")
    dialog.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("In force: its terms cannot change.")).to_be_visible()
    expect(page.get_by_role("cell", name="USD 5.00, at most 100 % of the fee")).to_be_visible()
    assert PolicyVersion.objects.get().rules.get(position=3).credit_amounts == {"USD": 500}
