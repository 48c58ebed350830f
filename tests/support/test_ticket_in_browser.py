"""An agent works a ticket in a real browser, with the keyboard alone."""

import re

import pytest
from django.test import Client
from playwright.sync_api import expect

from support.models import Draft, Macro, Message, PrioritySetting, Queue
from support.tickets import receive_message
from tests.browser import browser, needs_chromium
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.support.factories import agent, opened

__all__ = ["browser"]

pytestmark = [*needs_chromium, pytest.mark.django_db(transaction=True)]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(autouse=True)
def desk(settings):
    """The rows of the first migration, which tests that commit have emptied."""
    Queue.objects.get_or_create(is_default=True, defaults={"name": "General", "slug": "general"})
    PrioritySetting.objects.get_or_create(id=1)
    settings.SUPPORT_UNDO_SECONDS = 60


@pytest.fixture
def ann():
    return agent()


@pytest.fixture
def ticket():
    customer = CustomerFactory(name="Acme GmbH", email="ada@example.com")
    subscription = SubscriptionFactory(customer=customer)
    batch = BatchFactory(number="2026-031", state="submitted")
    AwardFactory(batch=batch, subscription=subscription)
    return opened(customer=customer)


@pytest.fixture
def open_page(browser, live_server, ann):
    """Opens a ticket as Ann; each page in one browser, as windows of hers."""
    client = Client()
    client.force_login(ann)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    contexts = {}

    def opened_page(ticket, **options):
        key = str(sorted(options.items()))
        if key not in contexts:
            contexts[key] = browser.new_context(**options)
            contexts[key].add_cookies([cookie | {"url": live_server.url}])
        page = contexts[key].new_page()
        page.goto(f"{live_server.url}/admin/support/ticket/{ticket.pk}/change/")
        return page

    return opened_page


def test_ticket_is_worked_by_keyboard_alone(open_page, ticket):
    page = open_page(ticket)
    keys, words = page.keyboard, page.get_by_label("Your words")
    expect(page.get_by_label("State and next step")).to_contain_text("New, nobody's: take it.")
    expect(page.locator("#got")).to_contain_text(
        re.compile(r"EUR\s49.90 credit\s+waits for finance in batch 2026-031")
    )

    keys.press("r")
    expect(words).to_be_focused()
    keys.type("Hello Ada, we are on it.")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(words).to_have_value("Hello Ada, we are on it.")

    keys.press("r")
    keys.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"To be sent in \d+ s"))).to_be_visible()
    expect(words).to_have_value("")
    assert ticket.messages.filter(direction="out").count() == 1

    keys.press("u")
    expect(page.get_by_text("Taken back: nothing was sent")).to_be_visible()
    expect(words).to_have_value("Hello Ada, we are on it.")
    keys.press("r")
    keys.press("Control+End")
    keys.type(" Soon more.")
    keys.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"To be sent in \d+ s"))).to_be_visible()

    keys.press("i")
    keys.type("Modem is fine.")
    expect(page.get_by_role("button", name="Keep note")).to_be_visible()
    keys.press("Control+Enter")
    expect(page.locator(".tk-message.note")).to_contain_text("Modem is fine.")

    keys.press("s")
    expect(page.get_by_label("State and next step")).to_contain_text("Solved since")
    said = list(ticket.messages.order_by("id").values_list("kind", "text", "delivery"))
    assert said[1:] == [
        ("public", "Hello Ada, we are on it.", "cancelled"),
        ("public", "Hello Ada, we are on it. Soon more.", "queued"),
        ("internal", "Modem is fine.", "none"),
    ]
    ticket.refresh_from_db()
    assert ticket.status == "solved"


def test_words_written_in_two_windows_are_not_lost(open_page, ticket):
    one, two = open_page(ticket), open_page(ticket)
    one.get_by_label("Your words").fill("From the first")
    expect(one.get_by_text("Draft saved")).to_be_visible()
    two.get_by_label("Your words").fill("From the second")
    expect(two.get_by_role("alert")).to_contain_text("something else here in another window")
    assert Draft.objects.get().text == "From the first"
    two.get_by_role("button", name="Take the other text").click()
    expect(two.get_by_label("Your words")).to_have_value("From the first")


def test_customer_who_wrote_meanwhile_is_read_first(open_page, ticket):
    page = open_page(ticket)
    page.get_by_label("Your words").fill("We are on it.")
    receive_message(ticket, text="It works again!")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It works again!")
    assert not ticket.messages.filter(direction="out").exists()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"To be sent in \d+ s"))).to_be_visible()
    assert ticket.messages.filter(direction="out").count() == 1


def test_macro_is_chosen_by_slash_and_does_what_it_says(open_page, ticket):
    Macro.objects.create(
        name="We are on it",
        texts={"en": "Hello,\nwe are on it."},
        actions=[
            {"do": "add_tags", "tags": ["outage"]},
            {"do": "set_status", "status": "on_hold"},
        ],
    )
    Macro.objects.create(name="Promise", texts={"en": "You get {{ credit.amount }}."})
    page = open_page(ticket)
    page.keyboard.press("m")
    expect(page.get_by_role("option", name="Promise")).to_be_visible()
    page.keyboard.type("promise")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement === document.body")
    page.keyboard.press("r")
    page.keyboard.type("/")
    expect(page.get_by_role("option", name="We are on it")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your words")).to_have_value("Hello,\nwe are on it.")
    expect(page.locator("#composer-macro")).to_contain_text("We are on it; add the tag outage")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"To be sent in \d+ s"))).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.tags, ticket.status) == (["outage"], "on_hold")
    assert "macro" in [event.kind for event in ticket.events.all()]


def test_files_go_up_and_come_off(open_page, ticket, settings, tmp_path):
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    big, small = tmp_path / "big.bin", tmp_path / "small.txt"
    big.write_bytes(b"x" * 1024 * 1025)
    small.write_text("words")
    page = open_page(ticket)
    chooser = page.locator("input[type=file]")
    chooser.set_input_files([small, big])
    files = page.get_by_label("Files to send")
    expect(files).to_contain_text("small.txt")
    expect(page.get_by_role("alert")).to_contain_text("“big.bin” is too large: at most 1 MB")
    page.reload()
    expect(files).to_contain_text("small.txt")
    page.get_by_role("button", name="Remove small.txt").click()
    expect(files.get_by_role("listitem")).to_have_count(0)
    chooser.set_input_files([small])
    expect(files).to_contain_text("small.txt")
    page.get_by_label("Your words").fill("See the file.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".tk-message.out")).to_contain_text("small.txt")
    message = Message.objects.get(direction="out")
    assert [(a.name, a.draft_id) for a in message.attachments.all()] == [("small.txt", None)]


def test_people_and_merge_are_chosen_by_keyboard(open_page, ticket, ann):
    other = opened(customer=ticket.customer, subject="The same again")
    page = open_page(other)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name=f"{ann} (me)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("State and next step")).to_contain_text("Open, yours.")
    page.keyboard.press(".")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Merge into another").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name=ticket.number).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Merge, close this one").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{other.number} was merged into this ticket.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_page_is_as_wide_as_the_window(open_page, width, ann):
    customer = CustomerFactory(name=LONG, email=f"{'x' * 50}@example.com")
    ticket = opened(customer=customer, subject=f"{LONG} {LONG}", text=LONG * 4, tags=[LONG[:50]])
    page = open_page(ticket, viewport={"width": width, "height": 900})
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_words_are_kept_while_their_writer_is_signed_out(open_page, ticket, ann):
    page = open_page(ticket)
    words, told = page.get_by_label("Your words"), page.get_by_role("dialog")
    page.context.clear_cookies(name="sessionid")
    words.fill("An hour's work")
    expect(told).to_contain_text("You are signed out")
    expect(page.locator("#desk-presence")).not_to_contain_text("html")
    assert not Draft.objects.exists()
    told.get_by_role("button", name="Sign in again").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))

    client = Client()
    client.force_login(ann)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    site = page.url.partition("/accounts/")[0]
    page.context.add_cookies([cookie | {"url": site}])
    page.goto(f"{site}/admin/support/ticket/{ticket.pk}/change/")
    expect(words).to_have_value("An hour's work")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    assert Draft.objects.get().text == "An hour's work"


def test_dialogs_of_somebody_signed_out_offer_to_sign_in(open_page, ticket):
    page = open_page(ticket)
    page.context.clear_cookies(name="sessionid")
    page.keyboard.press("a")
    told = page.locator("#am-signed-out")
    expect(told).to_contain_text("You are signed out")
    expect(page.locator("#dialog-assign")).not_to_contain_text("Password")


def test_every_file_that_is_refused_is_named(open_page, ticket, tmp_path):
    page = open_page(ticket)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name, content in {"tool.exe": b"MZ\x90\x00", "empty.txt": b"", "fine.txt": b"fine"}.items():
        (tmp_path / name).write_bytes(content)
    page.set_input_files("#composer [type=file]", [str(path) for path in tmp_path.iterdir()])
    expect(page.get_by_role("button", name="Remove fine.txt")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("tool.exe")
    expect(page.get_by_role("alert")).to_contain_text("empty.txt")
    assert errors == []
