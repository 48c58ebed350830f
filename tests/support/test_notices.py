"""What customers find in their mail: the answer, how to answer, and nothing of anybody else's."""

import pytest

from support.notices import NoticeKind, acknowledgement_text, render
from support.tickets import open_ticket, reply
from tests.support.factories import agent, opened

pytestmark = pytest.mark.django_db


def answer(ticket, **fields):
    return reply(ticket, **{"by": agent(), "text": "It works <again>.\n\nTry it."} | fields)


def test_answer_says_how_to_answer():
    ticket = opened()
    notice = render(answer(ticket), NoticeKind.ANSWER)
    assert notice.subject == "Re: No internet"
    assert notice.text == (
        "It works <again>.\n\nTry it.\n\n-- \nTo answer, reply to this mail.\n"
        f"The whole conversation: http://127.0.0.1:8000/account/requests/T-{ticket.pk}/\n"
        "Amends\n"
    )
    assert "<p>It works &lt;again&gt;.</p>" in notice.html
    assert '<html lang="en">' in notice.html


def test_answer_to_somebody_without_an_account_has_no_link():
    ticket = open_ticket(
        subject="Hello", text="Hello?", channel="web", requester_address="eve@example.org"
    )
    assert "http" not in render(answer(ticket)).text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "Um zu antworten, antworten Sie auf diese E-Mail."),
        ("ru", "Чтобы ответить, просто ответьте на это письмо."),
    ],
)
def test_answer_speaks_the_language_of_its_message(language, words):
    notice = render(answer(opened(language=language)))
    assert words in notice.text
    assert words in notice.html


def test_signature_of_the_queue_stands_below_where_the_agent_has_none():
    ticket = opened()
    ticket.queue.signature = "Your team in Bonn"
    ticket.queue.save()
    assert "Try it.\n\nYour team in Bonn\n" in render(answer(ticket)).text


def test_signature_of_the_agent_goes_before_the_queues():
    ticket = opened()
    ticket.queue.signature = "Your team in Bonn"
    ticket.queue.save()
    text = render(answer(ticket, by=agent(signature="Ann, support"))).text
    assert "Try it.\n\nAnn, support\n" in text
    assert "Bonn" not in text


def test_acknowledgement_repeats_nothing_that_a_stranger_wrote():
    ticket = opened(subject="Buy pills", text="at example.com")
    words = acknowledgement_text(ticket)
    notice = render(answer(ticket, by=None, text=words, is_automatic=True))
    assert notice.subject == "We have received your request"
    assert f"Its number is T-{ticket.pk}." in notice.text
    assert "pills" not in notice.subject + notice.text + notice.html


def test_acknowledgement_has_no_blank_in_its_first_line():
    assert acknowledgement_text(opened(language="de")).startswith("Guten Tag,\n\nwir haben")
