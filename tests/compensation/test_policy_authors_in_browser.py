"""Every mistake a policy's author can make, as their browser shows it; and the keyboard alone."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from compensation.models import PolicyVersion
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.compensation.factories import PolicyVersionFactory, RuleFactory
from tests.customers.factories import SubscriptionFactory

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]

FILE = """{"provider": "Acme", "service": "Web", "period": "calendar_month",
    "tiers": [{"uptime_below": 99, "credit_percent": 10}]}"""


@pytest.fixture
def draft():
    SubscriptionFactory(plan="Business", customer__country="DE")
    return PolicyVersionFactory(policy__name="Standard SLA", rounding="half_up")


@pytest.fixture
def page(browser, live_server, draft):
    client = Client()
    client.force_login(staff(Role.FINANCE))
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def opened(page, live_server, draft):
    page.goto(f"{live_server.url}/admin/compensation/policyversion/{draft.pk}/change/")
    return page.locator("[data-table=rules] [data-row]")


def test_a_chosen_file_leaves_the_currency_alone(page, live_server):
    page.goto(f"{live_server.url}/admin/compensation/policy/ready-made/")
    file = {"name": "ours.json", "mimeType": "application/json", "buffer": FILE.encode()}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_label("Currency")).to_have_value("USD")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_text("Acme Web")).not_to_have_count(0)


def test_hole_overlap_and_misspelt_plan_stand_beside_their_rows(page, live_server, draft):
    RuleFactory(version=draft, position=1, plans=["Busines"], uptime_to=99)
    RuleFactory(version=draft, position=2, uptime_from="99.5", uptime_to="99.9")
    RuleFactory(version=draft, position=3, uptime_from="99.8", uptime_to="99.95")
    RuleFactory(version=draft, position=4, uptime_to=99)
    rows = opened(page, live_server, draft)
    expect(rows.nth(0)).to_contain_text("Nobody has “Busines” now. Did you mean “Business”?")
    expect(rows.nth(1)).to_contain_text("Nothing is due from 99 and below 99.5 % uptime")
    expect(rows.nth(1).or_(rows.nth(2)).filter(has_text="verlap")).not_to_have_count(0)
    # What stands at the top leads to the field.
    found = page.get_by_label("What was found")
    found.get_by_role("link", name="Row 1: Nobody has “Busines” now.").click()
    expect(rows.nth(0).get_by_label("plans")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Business")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved, with 4 rows.")).to_be_visible()
    expect(rows.nth(0).get_by_label("plans")).to_be_focused()
    expect(rows.nth(0)).not_to_contain_text("Nobody has")


def test_condition_completes_and_a_broken_one_shows_its_place(page, live_server, draft):
    RuleFactory(version=draft, position=1)
    rows = opened(page, live_server, draft)
    rows.nth(0).locator("summary").click()
    area = rows.nth(0).get_by_label("further condition")
    area.click()
    # Field, operator and a known value, each taken from the list by the keyboard.
    for typed, taken in (("custom", "customer."), ("coun", "customer.country ")):
        page.keyboard.type(typed, delay=30)
        expect(page.locator(".djangoql-completion li.active")).to_be_visible()
        page.keyboard.press("Enter")
        expect(area).to_have_value(taken)
    page.keyboard.type('= "D', delay=30)
    expect(page.locator(".djangoql-completion li")).to_have_text(["DE"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(area).to_have_value('customer.country = "DE"')
    page.keyboard.type(' and plan == "Business"')
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "Row 1, further condition: Line 1, column 35: “=” does not fit here."
    )
    line, mark = rows.nth(0).locator(".pv-trouble").text_content().split("\n")
    assert line[len(mark) - 1 :].startswith('= "Business"')
    area.fill('customer.country = "DE" and plan = "Busines"')
    area.blur()
    # Told while typing, too, with the nearest known value.
    expect(rows.nth(0).locator(".pv-words")).to_contain_text("Did you mean “Business”?")


def test_an_example_turns_green_while_it_is_corrected(page, live_server, draft):
    RuleFactory(version=draft, position=1)
    opened(page, live_server, draft)
    page.get_by_role("button", name="+ Example").click()
    example = page.locator("[data-table=examples] [data-row]").last
    for label, typed in (
        ("name", "an hour"), ("monthly fee", "EUR 499"), ("minutes out", "30 + 30"),
        ("month", "2026-09"), ("expected", "50"),
    ):  # fmt: skip
        example.get_by_label(label, exact=True).fill(typed)
    example.get_by_label("expected").blur()
    result = example.locator(".pv-result")
    expect(result).to_contain_text("EUR 49.90 instead of EUR 50.00")
    page.get_by_role("button", name="Save draft").click()
    found = page.get_by_label("What was found")
    expect(found).to_contain_text("Example 1: It expects EUR 50.00, but EUR 49.90 comes out")
    page.get_by_role("button", name="Save and activate …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Activate")).to_be_disabled()
    dialog.get_by_role("button", name="Not yet").click()
    example = page.locator("[data-table=examples] [data-row]").last
    example.get_by_label("expected").fill("49.90")
    example.get_by_label("expected").blur()
    expect(example.locator(".pv-result .good")).to_contain_text("EUR 49.90")


def tab(page, times=1):
    for _n in range(times):
        page.keyboard.press("Tab")


def write_rows(page, rows):
    """From the first row's order on: two rows, the second asked for by Alt+Enter."""
    press, write = page.keyboard.press, page.keyboard.type
    value = "percent, multiple or hours"
    tab(page)
    expect(rows.nth(0).get_by_label("plans")).to_be_focused()
    write("bus")
    press("ArrowDown")
    press("Enter")
    expect(rows.nth(0).get_by_label("plans")).to_have_value("Business")
    for credit in ("10", "5"):
        tab(page, 4)
        write("99.9")
        tab(page, 2)
        write("percent")
        tab(page)
        write(credit)
        if credit == "10":
            press("Alt+Enter")
            expect(rows).to_have_count(2)
    press("Alt+ArrowUp")
    expect(rows.nth(0).get_by_label(value)).to_have_value("5")
    press("Alt+ArrowDown")
    expect(rows.nth(1).get_by_label(value)).to_have_value("5")


def test_a_policy_is_written_by_the_keyboard_alone(page, live_server, draft):
    rows = opened(page, live_server, draft)
    press = page.keyboard.press
    rows.nth(0).get_by_label("order").focus()
    write_rows(page, rows)
    press("Control+Enter")
    expect(page.get_by_text("Saved, with 2 rows.")).to_be_visible()
    # The page is where it was.
    expect(rows.nth(1).get_by_label("percent, multiple or hours")).to_be_focused()
    page.get_by_role("button", name="+ Example").focus()
    press("Enter")
    for typed in ("an hour", "EUR 499", "60", "2026-09", "49.90"):
        page.keyboard.type(typed)
        tab(page)
    # The example is of a Business customer; else the first row would not be the one that fits.
    press("Enter")
    tab(page)
    page.keyboard.type("bus")
    press("ArrowDown")
    press("Enter")
    press("Control+Enter")
    expect(page.get_by_text("Saved, with 2 rows and 1 example.")).to_be_visible()
    page.get_by_role("button", name="Save and activate …").focus()
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Not yet")).to_be_focused()
    tab(page)
    expect(dialog.get_by_role("button", name="Activate")).to_be_focused()
    press("Enter")
    expect(page.get_by_text("In force: its terms cannot change.")).to_be_visible()
    version = PolicyVersion.objects.get()
    assert [(rule.plans, int(rule.credit_value)) for rule in version.rules.all()] == [
        (["Business"], 10), ([], 5),
    ]  # fmt: skip
    assert (version.examples.get().plan, version.examples.get().expected_minor) == (
        "Business", 4990,
    )  # fmt: skip
