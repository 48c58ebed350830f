"""A customer on a phone without JavaScript says that something did not work."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.customers.portal import open_session
from compensation.models import Claim
from tests.browser import browser, needs_chromium
from tests.compensation.claiming import missed, outage, promise
from tests.customers.factories import ComponentUseFactory, SubscriptionFactory
from tests.support.conftest import attachments_apart, nobody_woken

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
def subscription():
    """Hit for an hour two days ago, in no cohort; one of two."""
    promise()
    began = timezone.now().replace(microsecond=0, second=0) - timedelta(days=2)
    found = outage(began=began, component__name="Fibre access")
    found.incident.title = "Fibre outage Frankfurt"
    hit = missed(found, customer__time_zone="Europe/Berlin", customer__language="en")
    other = SubscriptionFactory(customer=hit.customer, plan="Mail")
    ComponentUseFactory(subscription=other, component__name="Mail")
    hit.began = began
    return hit


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_claim_without_scripts(browser, live_server, settings, subscription, width, scheme):
    settings.PUBLIC_URL = live_server.url
    _session, link = open_session(subscription.customer, created_by="shop")
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(link)
    if page.get_by_role("button").count() and "/open/" in page.url:
        page.get_by_role("button").first.click()
    picture(page, f"claims-home-{width}")
    page.get_by_role("link", name="Tell us").click()
    local = timezone.localtime(subscription.began, _zone())
    page.get_by_label("Which of your subscriptions?").select_option(str(subscription.pk))
    page.get_by_label("What did not work?").select_option(label="Fibre access")
    page.locator("#id_starts_at").fill(local.strftime("%Y-%m-%dT%H:%M"))
    page.locator("#id_ends_at").fill((local + timedelta(minutes=50)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("What happened?").fill("No internet in the whole house.")
    picture(page, f"claims-form-{width}")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("By our terms you get EUR 49.90 for it.")).to_be_visible()
    picture(page, f"claims-answer-{width}")
    page.get_by_role("button", name="Not right? Let a person look at it").click()
    expect(page.get_by_text("Your request has the number")).to_be_visible()
    picture(page, f"claims-person-{width}")
    page.get_by_role("link", name="To your request").click()
    expect(page.get_by_text("No internet in the whole house.")).to_be_visible()
    claim = Claim.objects.get()
    assert (claim.starts_at, claim.state) == (subscription.began, "with_person")
    context.close()


def _zone():
    import zoneinfo

    return zoneinfo.ZoneInfo("Europe/Berlin")
