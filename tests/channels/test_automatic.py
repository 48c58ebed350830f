import pytest

from backoffice.channels.base import Nature
from backoffice.channels.email.reading import read_mail
from backoffice.channels.email.tokens import reply_address, thread_in_addresses
from tests.channels.odd_mail import FROM, TO, USUAL, bounce, mail, parts, plain

OURS = mail(
    "From: Support <support@amends.example>",
    "Reply-To: support+t7.aaaaaaaaaaaaaaaa@amends.example",
    "To: ada@example.com",
    "Message-ID: <ours@amends.example>",
)


@pytest.mark.parametrize(
    ("header", "nature"),
    [
        ("Auto-Submitted: auto-generated", Nature.AUTOMATIC),
        ("Auto-Submitted: auto-replied", Nature.AWAY),
        ("Auto-Submitted: auto-replied; owner-email=x", Nature.AWAY),
        ("Auto-Submitted: no", Nature.PERSON),
        ("Auto-Submitted: NO (a comment)", Nature.PERSON),
        ("Precedence: bulk", Nature.AUTOMATIC),
        ("Precedence: List", Nature.PERSON),
        ("Precedence: junk", Nature.AUTOMATIC),
        ("Precedence: first-class", Nature.PERSON),
        ("List-Id: <news.example.com>", Nature.PERSON),
        ("X-Autoreply: yes", Nature.AWAY),
        ("Subject: Automatic reply: No internet", Nature.AWAY),
        ("Subject: Abwesenheitsnotiz: Urlaub", Nature.AWAY),
        ("Subject: Автоответ: отпуск", Nature.AWAY),
        ("Subject: I was out of office when it broke", Nature.PERSON),
        ("X-Loop: amends", Nature.LOOP),
        ("X-Loop: somebody@else.example", Nature.PERSON),
        ("X-Auto-Response-Suppress: All", Nature.PERSON),
    ],
)
def test_header_tells_who_wrote(header, nature):
    assert read_mail(mail(FROM, TO, header)).nature is nature


@pytest.mark.parametrize(
    "header",
    ["X-Auto-Response-Suppress: OOF, AutoReply", "X-Loop: x@y.example", "Precedence: list",
     "List-Id: <a.example>",     "Auto-Submitted: auto-generated", "X-Loop: amends"],
)  # fmt: skip
def test_some_mails_are_never_answered_by_a_machine(header):
    assert read_mail(mail(FROM, TO)).may_be_answered
    assert not read_mail(mail(FROM, TO, header)).may_be_answered


@pytest.mark.parametrize(
    "address", ["noreply@x.example", "no-reply@x.example", "postmaster@x.example"]
)
def test_nobody_is_never_answered(address):
    assert not read_mail(mail(f"From: {address}", TO)).may_be_answered


def test_mail_from_ourselves_is_a_loop():
    raw = mail("From: SUPPORT@amends.example", TO)
    assert read_mail(raw, own_addresses={"support@amends.example"}).nature is Nature.LOOP
    assert read_mail(raw).nature is Nature.PERSON


def test_bounce_names_the_mail_that_came_back():
    read = read_mail(bounce(OURS))
    assert read.nature is Nature.BOUNCE
    assert read.answers == ("ours@amends.example",)
    assert "support+t7.aaaaaaaaaaaaaaaa@amends.example" in [p.address for p in read.recipients]
    assert not read.may_be_answered


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_report_that_nothing_failed_is_no_bounce(action):
    read = read_mail(bounce(OURS, action=action))
    assert read.nature is not Nature.BOUNCE
    assert read.answers == ("ours@amends.example",)


def test_bounce_that_brings_headers_only_is_understood():
    raw = parts(
        "report; report-type=delivery-status",
        plain("Sorry."),
        b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <ours@amends.example>\r\n",
        headers=("From: postmaster@mx.example", TO),
    )
    read = read_mail(raw)
    assert (read.nature, read.answers) == (Nature.BOUNCE, ("ours@amends.example",))


def test_bounce_in_plain_words_is_understood():
    raw = mail(
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>",
        "Subject: failure notice",
        body="Sorry.\n--- Below is a copy:\nMessage-ID: <ours@amends.example>\n",
    )
    read = read_mail(raw)
    assert (read.nature, read.answers) == (Nature.BOUNCE, ("ours@amends.example",))


def test_customer_who_forwards_a_bounce_is_a_person():
    read = read_mail(mail(*USUAL, "Subject: Undeliverable: hello", body="What is this?"))
    assert read.nature is Nature.PERSON


def test_reply_address_brings_its_ticket_back(settings):
    address = reply_address("support@amends.example", "10482")
    assert address.startswith("support+t10482.")
    assert len(address.split("@")[0]) <= 64
    assert thread_in_addresses(["x@y.example", address.upper()]) == "10482"


def test_reply_address_cannot_be_forged(settings):
    address = reply_address("support@amends.example", "10482")
    assert not thread_in_addresses([address.replace("10482", "10483")])
    settings.SECRET_KEY = "another"
    assert not thread_in_addresses([address])


def test_reply_address_outlives_a_new_key(settings):
    address = reply_address("support@amends.example", "10482")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert thread_in_addresses([address]) == "10482"


def test_form_of_ours_that_sends_for_somebody_is_theirs():
    raw = mail("From: support@amends.example", "Reply-To: Ada <ada@example.com>", TO)
    read = read_mail(raw, own_addresses={"support@amends.example"})
    assert (read.sender.address, read.nature) == ("ada@example.com", Nature.PERSON)
    assert not read.may_be_answered
    assert read.problems == ("It was sent from support@amends.example for this address.",)


def test_our_own_mail_is_ours_whatever_its_reply_to():
    raw = mail("From: support@amends.example", "Reply-To: ada@example.com", TO, "X-Loop: amends")
    assert read_mail(raw, own_addresses={"support@amends.example"}).nature is Nature.LOOP
