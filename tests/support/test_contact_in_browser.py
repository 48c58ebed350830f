"""The public form as people use it: their browser does the work, or the mail confirms."""

import os
import re

import pytest
from playwright.sync_api import expect

from support import contact
from support.models import Ticket
from tests.accounts.conftest import fresh_limits
from tests.browser import browser, needs_chromium

__all__ = ["browser", "fresh_limits"]

PICTURES = os.environ.get("PICTURES", "")

pytestmark = [
    *needs_chromium,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fresh_limits"),
]


@pytest.fixture
def mails(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    return lambda: "".join(
        path.read_text(encoding="utf-8") for path in sorted((tmp_path / "mails").iterdir())
    )


@pytest.fixture
def _quick(monkeypatch):
    """A person takes seconds to write; the test does not wait for them."""
    monkeypatch.setattr("support.views.contact_forms.FEWEST_SECONDS", 0)


def picture(page, name):
    main = page.locator("main").bounding_box()
    assert main["x"] + main["width"] <= page.viewport_size["width"]
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def fill(page, live_server, language, tmp_path=None):
    page.goto(f"{live_server.url}/contact/?language={language}")
    page.locator("#id_address").fill("ada@example.com")
    page.locator("#id_subject").fill("No internet")
    page.locator("#id_text").fill("It is silent since two.")
    if tmp_path:
        (tmp_path / "photo.txt").write_text("a photo")
        page.locator("#id_attachments").set_input_files(tmp_path / "photo.txt")


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(
    ("language", "width", "scheme"),
    [("en", 1440, "light"), ("ru", 390, "light"), ("de", 390, "dark")],
)
def test_browser_does_the_work_and_the_ticket_is_there(
    browser, live_server, tmp_path, language, width, scheme
):
    context = browser.new_context(
        viewport={"width": width, "height": 844}, locale=language, color_scheme=scheme
    )
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    fill(page, live_server, language, tmp_path)
    picture(page, f"contact-{language}-{width}-{scheme}")
    page.locator("button[type=submit]").press("Enter")
    page.wait_for_url(re.compile(r"/contact/sent/\?language="))
    picture(page, f"contact-sent-{language}")
    ticket = Ticket.objects.get()
    assert (ticket.language, ticket.messages.first().attachments.count()) == (language, 1)
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    context.close()


def test_without_javascript_the_mailed_link_confirms(browser, live_server, mails):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="en", java_script_enabled=False
    )
    page = context.new_page()
    fill(page, live_server, "en")
    picture(page, "contact-no-script")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    picture(page, "contact-one-more-step")
    assert contact.send_confirmations() == 1
    path = re.search(r"(/contact/confirm/\S+/)", mails()).group(1)
    page.goto(live_server.url + path)
    assert Ticket.objects.count() == 0
    picture(page, "contact-confirm")
    page.get_by_role("button", name="Yes, send it").click()
    expect(page.get_by_text("Your message is with us. Its number is")).to_be_visible()
    assert Ticket.objects.get().subject == "No internet"
    context.close()
