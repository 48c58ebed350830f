# ruff: noqa: E501, ISC004 - a case a line
import time

import pytest

from backoffice.channels.email.quoting import written_now
from backoffice.channels.email.reading import read_mail
from tests.channels.odd_mail import html, parts

QUOTED = "> Is it plugged in?\n> \n> Regards, Sam"


@pytest.mark.parametrize(
    "line",
    [
        "On Sat, Nov 21, 2026 at 10:00 AM Support <support@amends.example> wrote:",
        "On Sat, Nov 21, 2026 at 10:00 AM Support\n<support@amends.example> wrote:",
        "Am 21.11.2026 um 10:00 schrieb Support:",
        "Am Sa., 21. Nov. 2026 um 10:00 Uhr schrieb Support <support@amends.example>:",
        "Le sam. 21 nov. 2026 à 10:00, Support <support@amends.example> a écrit :",
        "сб, 21 нояб. 2026 г. в 10:00, Support <support@amends.example>:".replace(">:", "> пишет:"),
        "21.11.2026 10:00, Support пишет:",
        "21 ноября 2026 г., 10:00 пользователь Support написал:",
        "-----Original Message-----\nFrom: Support <support@amends.example>\nSent: Saturday",
        "-----Ursprüngliche Nachricht-----\nVon: Support <support@amends.example>",
        "Von: Support <support@amends.example>\nGesendet: Samstag, 21. November 2026 10:00\nAn: Ada",
        "От: Support <support@amends.example>\nОтправлено: 21 ноября 2026 г. 10:00\nКому: Ада",
        "From: Support <support@amends.example>\nSent: Saturday, 21 November 2026 10:00\nTo: Ada",
    ],
)
def test_what_is_quoted_is_left_out(line):
    assert written_now(f"Yes, it is.\n\nAda\n\n{line}\n{QUOTED}\n") == "Yes, it is.\n\nAda"


def test_quoted_lines_at_the_end_are_left_out():
    assert written_now(f"Yes, it is.\n\n{QUOTED}") == "Yes, it is."


def test_answers_between_quoted_lines_keep_everything():
    text = "On Sat, Nov 21, 2026 Support wrote:\n> Is it plugged in?\nYes.\n> Since when?\nMonday."
    assert written_now(f"See below.\n\n{text}") == f"See below.\n\n{text}"


def test_signature_below_the_quote_is_left_out_with_it():
    text = f"Yes.\n\nOn Sat, Nov 21, 2026 Support wrote:\n{QUOTED}\n\n-- \nAda Weber"
    assert written_now(text) == "Yes."


def test_a_mail_that_only_quotes_stays_whole():
    text = f"On Sat, Nov 21, 2026 Support wrote:\n{QUOTED}"
    assert written_now(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Thanks,\nbut it still does not work.",
        "- first\n- second",
        "From: Berlin I called you.\nNobody answered.",
        "On Monday she wrote: it works.\nIt does not.",
        "Von: mir aus kann das warten.",
    ],
)
def test_what_only_looks_like_a_quote_stays(text):
    assert written_now(text) == text


@pytest.mark.parametrize(
    "text",
    ["On " * 60_000, "On x wrote " * 20_000, "> " * 90_000, "From: " * 30_000,
     "On\n" * 60_000, "1.1" + " 2026" * 30_000, "\n" * 100_000, ">\n" * 50_000, " \n" * 50_000, " " * 90_000, "_" * 90_000, "From: a\n" * 20_000,
     "В " + "2026 " * 90 + "\n" + ("В " + "2026 " * 90 + "\n") * 100],
)  # fmt: skip
def test_hostile_text_takes_no_time(text):
    began = time.process_time()
    written_now(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On Sat Support wrote:<br></div>'
        "<blockquote>Is it plugged in?</blockquote></div>",
        '<blockquote type="cite">Is it plugged in?</blockquote>',
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Support</div>'
        "<div>Is it plugged in?</div>",
        '<div class="moz-cite-prefix">On Sat Support wrote:</div><blockquote type="cite">x</blockquote>',
    ],
)
def test_quotes_of_html_are_left_out(quote):
    read = read_mail(
        parts("alternative", html(f"<html><body><p>Yes, it is.</p>{quote}</body></html>"))
    )
    assert read.text == "Yes, it is."
    assert read.full_text != read.text
