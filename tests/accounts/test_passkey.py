"""A passkey as second factor, in a real browser with an authenticator that it plays."""

import pytest
from playwright.sync_api import expect

from tests.accounts.factories import PASSWORD, staff
from tests.browser import browser, needs_chromium

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def test_passkey_is_added_and_asked_for(browser, live_server):
    user = staff(email="anna@example.com")
    page = browser.new_page()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    def sign_in():
        page.goto(f"{live_server.url}/accounts/login/?next=/accounts/2fa/")
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    sign_in()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)  # adding one asks who it is
    page.get_by_role("button", name="Continue").click()
    page.wait_for_load_state("networkidle")  # its script must be there
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    page.goto(f"{live_server.url}/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    sign_in()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("1 passkey is set up.")).to_be_visible()
