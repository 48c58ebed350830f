"""Leads and administrators set up rules, agents and webhooks in a real browser."""

import re

import pytest
from django.test import Client
from playwright.sync_api import expect

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from support.models import Agent, AutomationRule, Queue, WebhookEndpoint
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.support.factories import agent

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def desk():
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})


@pytest.fixture
def page_as(browser, live_server):
    """Opens a page of the desk's settings as somebody with that role."""

    def opened_page(role, path):
        client = Client()
        client.force_login(staff(role))
        value = client.cookies["sessionid"].value
        context = browser.new_context()
        context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}/admin/support/{path}")
        return page

    return opened_page


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()


def test_rule_is_corrected_until_it_can_be_kept(page_as):
    page = page_as(Role.SUPPORT_LEAD, "automationrule/add/")
    save(page)
    expect(page.get_by_text("Say when: what happens, or how long after what.")).to_be_visible()
    page.locator("[name=name]").fill("Outages come first")
    page.get_by_label("opened", exact=True).check()
    page.locator("[name=condition]").fill('chanel = "email"')
    page.locator("[name=actions]").fill("fly: away")
    save(page)
    expect(page.get_by_text("Did you mean “channel”?")).to_be_visible()
    expect(page.get_by_text("There is no such action here.")).to_be_visible()
    expect(page.get_by_label("opened", exact=True)).to_be_checked()
    page.locator("[name=condition]").fill('channel = "email"')
    page.locator("[name=actions]").fill("raise_priority: high")
    save(page)
    expect(page).to_have_url(re.compile("/automationrule/$"))
    expect(page.locator("#result_list")).to_contain_text('channel = "email"')
    rule = AutomationRule.objects.get()
    assert (rule.on_events, rule.condition) == (["opened"], 'channel = "email"')
    assert rule.actions == [{"do": "raise_priority", "band": "high"}]


def test_agent_is_given_skills_and_an_absence(page_as):
    User.objects.filter(pk=agent().pk).update(full_name="Ann Bell")
    ann = Agent.objects.get()
    page = page_as(Role.SUPPORT_LEAD, f"agent/{ann.pk}/change/")
    page.locator("[name=capacity]").fill("12")
    page.locator("[name=skills]").fill("Fibre, billing")
    save(page)
    expect(page.locator("#result_list")).to_contain_text("0 of 12")
    page.locator("#result_list").get_by_role("link", name="Ann Bell").click()
    page.get_by_label("From").fill("2027-02-02T09:00")
    page.get_by_label("Until").fill("2027-02-01T09:00")
    page.get_by_role("button", name="Set absence").click()
    expect(page.get_by_text("The end must be after the beginning.")).to_be_visible()
    expect(page.get_by_label("Until")).to_have_value("2027-02-01T09:00")
    ann.refresh_from_db()
    assert (ann.capacity, ann.skills, ann.away_from) == (12, ["billing", "fibre"], None)
    page.get_by_label("Until").fill("2027-02-12T09:00")
    page.get_by_role("button", name="Set absence").click()
    expect(page.get_by_text("Ann Bell is marked as away.")).to_be_visible()
    ann.refresh_from_db()
    assert ann.away_from is not None


def test_webhook_shows_its_secret_once(page_as):
    page = page_as(Role.ADMINISTRATOR, "webhookendpoint/add/")
    page.locator("[name=name]").fill("Shop")
    page.locator("[name=url]").fill("ftp://shop.example.com")
    save(page)
    expect(page.get_by_text("The address must begin with https://")).to_be_visible()
    page.locator("[name=url]").fill("https://shop.example.com/hook")
    save(page)
    endpoint = WebhookEndpoint.objects.get()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    expect(page.get_by_label("Secret")).to_have_value(re.compile("^whsec_"))
    page.get_by_role("link", name=re.compile("I have stored it")).click()
    expect(page).to_have_url(re.compile(f"/webhookendpoint/{endpoint.pk}/change/"))
    assert "whsec_" not in page.content()
