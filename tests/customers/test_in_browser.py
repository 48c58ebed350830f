"""One-time links and the import of a file, as a person's browser meets them."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from backoffice.accounts.roles import Role
from backoffice.customers.models import Customer
from backoffice.customers.portal import COOKIE, open_session
from tests.accounts.factories import staff
from tests.browser import browser, needs_chromium
from tests.customers.factories import CustomerFactory

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def link(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    return open_session(CustomerFactory(), created_by="Shop")[1]


def test_link_opens_the_account_without_a_click_and_once(browser, link, live_server):
    page = browser.new_page()
    page.goto(link)
    page.wait_for_url(f"{live_server.url}/account/")
    assert [c["name"] for c in page.context.cookies() if c["path"] == "/account/"] == [COOKIE]
    page.goto(link)
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_link_opens_the_account_by_a_click_where_scripts_are_off(browser, link, live_server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(link)
    page.get_by_role("button", name="Open my account").click()
    page.wait_for_url(f"{live_server.url}/account/")


def test_file_is_imported_after_a_preview(browser, live_server, tmp_path):
    file = tmp_path / "c.csv"
    file.write_text("id,name\n1,Ada\n2,Bob\n2,Bob\n")
    client = Client()
    client.force_login(staff(Role.ADMINISTRATOR))
    context = browser.new_context()
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/customers/customerimport/upload/")
    page.get_by_label("Map*", exact=True).select_option("own")
    page.get_by_label("Map of your own").fill('[customer]\nreference = "id"\nname = "name"')
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Preview the import").click()
    expect(page.get_by_text("3 lines read, 1 of them bad")).to_be_visible()
    assert Customer.objects.count() == 0
    page.get_by_role("button", name="Import 2 lines: 2 new customers, 0 changed").click()
    expect(page.get_by_text("Imported 2 lines: 2 customers created.")).to_be_visible()
    assert Customer.objects.count() == 2
