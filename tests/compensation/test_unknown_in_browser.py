"""An unknown outcome is looked at and decided, in a real browser and against the sandbox."""

import pytest
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from compensation.models import Award
from tests.browser import browser, needs_chromium
from tests.compensation.screens import signed_in
from tests.compensation.test_deciding import book, unknown
from tests.compensation.test_in_browser import open_page

__all__ = ["browser", "open_page"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


def test_unknown_outcome_is_looked_at_and_decided(open_page, batch, issuing, monkeypatch):
    monkeypatch.setattr("compensation.issuing.deciding.wake_issuing", lambda: None)
    award, other = unknown(batch), unknown(batch)
    stripe_id = book(issuing, award)
    approver, _person = signed_in(Role.FINANCE_APPROVER, full_name="Andreas Weber")
    page = open_page(approver, "/admin/compensation/award/unknown/")
    first = page.get_by_role("region", name=f"#{award.pk}")
    first.get_by_role("button", name="Look at Stripe").click()
    expect(first).to_contain_text(f"Stripe has it as {stripe_id}.")
    first.get_by_role("button", name="It was booked …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("EUR 49.90")
    dialog.get_by_label("Which transaction at Stripe?").fill(stripe_id)
    dialog.get_by_label("How do you know?").fill("The page shows it.")
    dialog.get_by_role("button", name="It was booked").click()
    expect(page.get_by_text(f"Award #{award.pk} is issued")).to_be_visible()

    second = page.get_by_role("region", name=f"#{other.pk}")
    second.get_by_role("button", name="It was not booked").click()
    page.get_by_role("dialog").get_by_label("How do you know?").fill("Not in the list.")
    page.get_by_role("button", name="Send it again", exact=True).click()
    expect(page.get_by_text("Every outcome is known.")).to_be_visible()
    states = Award.objects.filter(pk__in=[award.pk, other.pk]).order_by("id")
    assert list(states.values_list("state", flat=True)) == ["issued", "approved"]
