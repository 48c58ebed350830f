import logging

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse

from backoffice.logs import redact
from support.intake import handle_inbound, store_inbound
from support.models.ticket import Channel
from tests.accounts.factories import PASSWORD, staff
from tests.customers.factories import CustomerFactory
from tests.log_lines import captured
from tests.support.mail_servers import SUPPORT

log = logging.getLogger("tests.logs")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk_live_51Habc123 refused", "key [redacted] refused"),
        ("rk_test_abcdef12 and whsec_abcDEF123", "[redacted] and [redacted]"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: [redacted] abc.def-ghi"),
        ("Cookie: sessionid=abc123; csrftoken=def456", None),
        ('{"password": "hunter2hunter2"}', None),
        ("redis://:topsecret@redis:6379/0", None),
        ("postgresql://amends:topsecret@db/amends", None),
        ("write to Ada.Weber+x@example.co.uk now", "write to [e-mail] now"),
        ("call +49 30 901820 now", "call [phone] now"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [iban]."),
        (
            "duplicate key\nDETAIL:  Key (name)=(Ada Weber) already exists.\nCONTEXT: x",
            None,
        ),
        # what must stay readable
        ("award 12 of batch 2026-031: EUR 49.90 at 2026-10-14T14:02:00.000000Z", ...),
        ("No such customer: 'cus_N1'; cbtxn_12; attempt 2 of 5", ...),
        ("hash 2b18d8a0f234740bc18167799cd2e0d0f9dee217b84e7cc1c11db98565759b89", ...),
    ],
)  # fmt: skip
def test_redact(text, clean):
    found = redact(text)
    if clean is ...:
        assert found == text
    elif text.startswith("Authorization"):
        assert "abc.def-ghi" not in found
    elif clean is not None:
        assert found == clean
    for secret in ("abc123", "def456", "hunter2", "topsecret", "Ada", "901820", "3704"):
        assert secret not in found


def test_fields_with_secret_names_hold_none():
    with captured() as lines:
        log.warning("x", extra={"headers": {"Authorization": "abc", "Accept": "*/*"}, "token": "t"})
    (line,) = lines.all()
    assert line["headers"] == {"Authorization": "[redacted]", "Accept": "*/*"}
    assert line["token"] == "[redacted]"


@pytest.mark.django_db
def test_a_row_is_named_by_its_number():
    ada = CustomerFactory(name="Ada Weber")
    with captured() as lines:
        log.warning("%s is not counted", ada, extra={"customer": ada, "many": [ada]})
    (line,) = lines.all()
    named = f"customers.customer {ada.pk}"
    assert line["event"] == f"{named} is not counted"
    assert (line["customer"], line["many"]) == (named, [named])


def test_an_error_keeps_its_traceback_without_what_it_quotes():
    said = "Ada@example.com is taken\nDETAIL:  Key (name)=(Ada Weber) exists."
    with captured() as lines:
        try:
            _refuse(said)
        except ValueError:
            log.exception("failed", extra={"award_id": 7})
    (line,) = lines.all()
    assert (line["award_id"], line["level"]) == (7, "error")
    assert "test_logs.py" in line["exception"]
    assert "[e-mail] is taken" in line["exception"]
    assert "Ada" not in lines.text


@pytest.mark.django_db
def test_signing_in_leaves_no_trace_of_the_person():
    user = staff(email="zoe.weber@example.com")
    with captured() as lines:
        client = Client()
        client.post("/accounts/login/", {"login": user.email, "password": "wrong-" + PASSWORD})
        client.post("/accounts/login/code/", {"email": user.email})
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        client.get("/admin/customers/customer/?q=zoe.weber@example.com")
        client.get(reverse("portal-open", args=["one-time-token-of-zoe"]))
        client.get("/zoe-weber/")
    code = django_mail.outbox[-1].body
    for secret in ("zoe", "weber", PASSWORD, "one-time-token", client.cookies["sessionid"].value):
        assert secret not in lines.text.lower()
    assert not [word for word in code.split() if "-" in word and word in lines.text]
    finished = lines.all("request_finished")
    assert "GET /admin/customers/customer/" in {line["request"] for line in finished}
    assert finished[-1]["request"] == "GET an unknown page"
    assert len({line["request_id"] for line in finished}) == 6


@pytest.mark.django_db
def test_taking_mail_in_leaves_no_trace_of_the_person(monkeypatch):
    CustomerFactory(email="ada@example.com", name="Ada Weber")
    raw = (
        b"From: Ada Weber <ada@example.com>\r\nTo: " + SUPPORT.encode() + b"\r\n"
        b"Message-ID: <1@example.com>\r\nSubject: =?utf-8?b?broken\r\n"
        b"Content-Type: multipart/mixed; boundary=\r\n\r\nAda lives in Hauptstr. 5\r\n"
    )
    with captured() as lines:
        store_inbound(Channel.EMAIL, SUPPORT, raw)
        handle_inbound()
        monkeypatch.setattr("support.intake.taking.parse", _fails, raising=False)
        store_inbound(Channel.EMAIL, SUPPORT, raw.replace(b"<1@", b"<2@"))
        handle_inbound()
    for secret in ("Ada", "Weber", "Hauptstr", "ada@example.com"):
        assert secret not in lines.text


def _fails(*_args, **_kwargs):
    raise RuntimeError("cannot read")


def _refuse(words):
    raise ValueError(words)
