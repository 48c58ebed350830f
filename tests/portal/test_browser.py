"""A customer on a phone signs in by e-mailed code and reads what they got and why."""

import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from compensation.ledger import NewEntry, record_entries
from incidents.models import IncidentUpdate
from tests.browser import browser, needs_chromium
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import (
    CohortFactory,
    ExposureFactory,
    IncidentFactory,
    OutageFactory,
)

__all__ = ["browser"]

# Where pictures of the pages are kept for people to look at; nowhere unless set.
PICTURES = os.environ.get("PICTURES", "")

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mails(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return lambda: "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def owed(language):
    """A customer with a booked credit, one that is on its way, and a trial extended."""
    customer = CustomerFactory(
        email="ada@example.com", name="Ada GmbH", language=language, time_zone="Europe/Berlin"
    )
    period_end = timezone.now().replace(day=1) + timedelta(days=32)
    subscription = SubscriptionFactory(
        customer=customer, period_start=timezone.now(), period_end=period_end
    )
    incident = IncidentFactory(
        state="resolved", resolved_at=datetime(2026, 10, 14, 15, 2, tzinfo=UTC)
    )
    cohort = CohortFactory(incident=incident)
    ExposureFactory(cohort=cohort, subscription=subscription)
    OutageFactory(incident=incident, component__name="Fibre access", region="EU-central")
    for state, minute, body in (
        ("investigating", 9, "We see that connections in Frankfurt break off."),
        ("identified", 20, "An excavator has cut a cable. It is being spliced."),
        ("resolved", 59, "The cable is repaired."),
    ):
        published = datetime(2026, 10, 14, 14, minute, tzinfo=UTC)
        IncidentUpdate.objects.create(
            incident=incident, state=state, body=body, published_at=published
        )
    booked = datetime(2026, 10, 15, 9, tzinfo=UTC)
    batch = BatchFactory(incident=incident)
    facts = {
        "major_seconds": 3600,
        "fee_minor": 49900,
        "interval_months": 1,
        "plan": "Business",
        "country": "DE",
        "period_start": datetime(2026, 10, 1, tzinfo=UTC),
        "period_end": datetime(2026, 11, 1, tzinfo=UTC),
        "raw_amount": 4990,
    }
    credit = AwardFactory(
        subscription=subscription, batch=batch, state="issued", issued_at=booked, **facts
    )
    record_entries(
        [
            NewEntry(
                kind="credit",
                customer_id=customer.pk,
                award_id=credit.pk,
                amount_minor=4990,
                currency="EUR",
                booked_at=booked,
            )
        ]
    )
    AwardFactory(
        subscription=subscription,
        batch=batch,
        state="issued",
        issued_at=booked,
        benefit="trial",
        amount_minor=0,
        currency="",
        days=14,
        trial_end_target=datetime(2027, 1, 7, tzinfo=UTC),
        **{**facts, "raw_amount": None},
    )
    later = IncidentFactory(title="Telephony outage", started_at=timezone.now())
    ExposureFactory(cohort=CohortFactory(incident=later), subscription=subscription)
    return customer


def picture(page, name):
    """Nothing is wider than the window: one reads without pushing sideways."""
    main = page.locator("main").bounding_box()
    assert main["x"] >= 0
    assert main["x"] + main["width"] <= page.viewport_size["width"]
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


WORDS = {
    "en": ("Sign in", "Send me a code", "EUR 49.90", "What happened", "Sign out"),
    "de": ("Anmelden", "Code senden", "49,90 EUR", "Was geschehen ist", "Abmelden"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["en", "de"])
def test_customer_signs_in_by_code_and_reads_why(
    browser, live_server, mails, language, width, scheme, settings
):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    sign_in, send, amount, happened, sign_out = WORDS[language]
    owed(language)
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        locale=language,
        color_scheme=scheme,
        java_script_enabled=False,
    )
    page = context.new_page()
    name = f"{language}-{width}-{scheme}"
    page.goto(f"{live_server.url}/account/")
    expect(page.get_by_role("heading", name=sign_in)).to_be_visible()
    picture(page, f"{name}-1-ask")
    page.get_by_role("textbox").fill("ada@example.com")
    page.get_by_role("button", name=send).click()
    code = re.search(r"^ {4}(\S+)$", mails(), re.MULTILINE).group(1)
    picture(page, f"{name}-2-code")
    page.get_by_role("textbox").fill(code)
    page.get_by_role("button", name=sign_in).click()
    expect(page.get_by_role("heading", name=amount)).to_be_visible()
    picture(page, f"{name}-3-account")
    page.get_by_role("link", name=happened).first.click()
    expect(page.get_by_text("Fibre access")).to_be_visible()
    picture(page, f"{name}-4-incident")
    page.get_by_role("link", name=sign_out).click()
    picture(page, f"{name}-5-sign-out")
    page.get_by_role("button", name=sign_out).click()
    page.goto(f"{live_server.url}/account/")
    expect(page.get_by_role("heading", name=sign_in)).to_be_visible()
    context.close()
