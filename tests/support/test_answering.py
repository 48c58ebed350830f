"""From the composer to the conversation, and the drafts on the way."""

import base64
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.states import MoveError
from support import inline_pictures
from support.answering import OvertakenError, answer, next_ticket, send_again, undo_answer
from support.attachments import store_attachment
from support.drafts import (
    DraftMovedOnError,
    attach_to_draft,
    draft_of,
    others_writing,
    remove_from_draft,
    save_draft,
    version_of,
)
from support.models import (
    Attachment,
    Calendar,
    Draft,
    Message,
    Queue,
    SlaPolicy,
    Ticket,
)
from support.sla import refresh_clocks
from support.tickets import add_note, assign, receive_message
from tests.compensation.screens import words
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def ann():
    return agent(signature="Ann, Support")


@pytest.fixture
def client(ann):
    client = Client()
    client.force_login(ann)
    return client


def url_of(ticket, name="change", *args):
    return reverse(f"admin:support_ticket_{name}", args=[ticket.pk, *args])


def a_file(name="a.txt", content=b"words"):
    return SimpleUploadedFile(name, content)


# --- the verbs ------------------------------------------------------------------------------


def test_answer_sent_twice_is_said_once(ann):
    ticket = opened()
    first = answer(ticket, by=ann, text="On it.", key="k1")
    assert answer(ticket, by=ann, text="On it.", key="k1") == first
    assert ticket.messages.count() == 2
    assert (ticket.status, ticket.assignee) == ("waiting", ann)


def test_note_sent_twice_is_kept_once(ann):
    ticket = opened()
    answer(ticket, by=ann, text="Rude.", kind="internal", key="k1")
    answer(ticket, by=ann, text="Rude.", kind="internal", key="k1")
    assert ticket.messages.filter(kind="internal").count() == 1
    assert (ticket.status, ticket.assignee) == ("new", None)


def test_answer_leaves_the_assignee_who_is_there(ann):
    ticket, bob = opened(), agent()
    assign(ticket, bob, by=bob)
    answer(ticket, by=ann, text="On it.")
    assert ticket.assignee == bob


def test_answer_stops_before_what_its_author_has_not_seen(ann):
    ticket = opened()
    seen = ticket.messages.get().pk
    came = receive_message(ticket, text="It works again, thanks!")
    receive_message(ticket, text="I am away.", is_automatic=True)
    add_note(ticket, by=ann, text="My own note counts as seen.")
    with pytest.raises(OvertakenError) as stopped:
        answer(ticket, by=ann, text="We are on it.", seen=seen)
    assert stopped.value.messages == [came]
    answer(ticket, by=ann, text="Gladly.", seen=came.pk)


def test_note_is_never_stopped(ann):
    ticket = opened()
    receive_message(ticket, text="Hello?")
    assert answer(ticket, by=ann, text="Note.", kind="internal", seen=0)


def test_answer_takes_the_files_and_uses_the_draft_up(ann):
    ticket = opened()
    save_draft(ticket, by=ann, kind="public", text="See the file.")
    attachment = attach_to_draft(ticket, by=ann, name="a.txt", content=a_file())
    message = answer(ticket, by=ann, text="See the file.")
    assert list(message.attachments.all()) == [attachment]
    assert Draft.objects.count() == 0


def test_refused_answer_leaves_the_draft(ann):
    ticket = opened()
    save_draft(ticket, by=ann, kind="public", text="Later")
    with pytest.raises(ValidationError):
        answer(ticket, by=ann, text=" ")
    Ticket.objects.update(status="closed")
    with pytest.raises(MoveError, match="closed"):
        answer(ticket, by=ann, text="Later")
    assert draft_of(ticket, ann).text == "Later"


def test_undone_answer_is_a_draft_again(ann):
    ticket = opened()
    attach_to_draft(ticket, by=ann, name="a.txt", content=a_file())
    message = answer(ticket, by=ann, text="Oops.", then_status="solved")
    save_draft(ticket, by=ann, kind="public", text="And this.")
    draft = undo_answer(message, by=ann)
    ticket.refresh_from_db()
    message.refresh_from_db()
    assert (message.delivery, ticket.status) == ("cancelled", "open")
    assert draft.text == "Oops.\n\nAnd this."
    assert [a.name for a in draft.attachments.all()] == ["a.txt"]


def test_only_what_failed_is_sent_again(ann):
    message = answer(opened(), by=ann, text="Hello.")
    with pytest.raises(MoveError, match="not failed"):
        send_again(message, by=ann)
    Message.objects.filter(pk=message.pk).update(delivery="bounced")
    assert send_again(message, by=ann).delivery == "queued"
    assert message.ticket.events.last().data["to"] == "queued"


def test_next_ticket_is_the_most_urgent_of_ones_own(ann):
    first, low, high, others = opened(), opened(), opened(), opened()
    for ticket in (first, low, high):
        assign(ticket, ann, by=ann)
    assign(others, agent(), by=ann)
    Ticket.objects.filter(pk=high.pk).update(band=4)
    Ticket.objects.filter(pk=others.pk).update(band=4)
    assert next_ticket(ann, after=first) == high
    Ticket.objects.filter(pk__in=[low.pk, high.pk]).update(status="waiting")
    assert next_ticket(ann, after=first) is None


# --- drafts ---------------------------------------------------------------------------------


def test_draft_is_its_authors_alone_and_others_hear_of_it(ann):
    ticket, bob = opened(), agent()
    draft = save_draft(ticket, by=ann, kind="internal", text="Hm")
    assert draft_of(ticket, ann) == draft
    assert draft_of(ticket, bob) is None
    assert others_writing(ticket, bob) == [draft]
    assert others_writing(ticket, ann) == []


def test_empty_draft_is_none(ann):
    ticket = opened()
    save_draft(ticket, by=ann, kind="public", text="Hm")
    assert save_draft(ticket, by=ann, kind="public", text=" ") is None
    attach_to_draft(ticket, by=ann, name="a.txt", content=a_file())
    assert save_draft(ticket, by=ann, kind="public", text="") is not None


def test_draft_of_another_window_is_not_overwritten(ann):
    ticket = opened()
    first = save_draft(ticket, by=ann, kind="public", text="One", version="")
    known = version_of(first)
    save_draft(ticket, by=ann, kind="public", text="Two", version=known)
    with pytest.raises(DraftMovedOnError) as error:
        save_draft(ticket, by=ann, kind="public", text="Three", version=known)
    assert error.value.draft.text == "Two"
    answer(ticket, by=ann, text="Two")
    with pytest.raises(DraftMovedOnError, match="sent or dropped"):
        save_draft(ticket, by=ann, kind="public", text="Three", version=known)
    assert Draft.objects.count() == 0


def test_draft_and_files_need_the_queue():
    mine = QueueFactory()
    agent(mine)
    ticket, bob = opened(queue=mine), agent(QueueFactory())
    with pytest.raises(PermissionDenied):
        save_draft(ticket, by=bob, kind="public", text="Hm")
    with pytest.raises(PermissionDenied):
        attach_to_draft(ticket, by=bob, name="a.txt", content=a_file())


def test_files_are_removed_from_ones_own_draft_only(ann):
    ticket = opened()
    attachment = attach_to_draft(ticket, by=ann, name="a.txt", content=a_file())
    remove_from_draft(ticket, by=agent(), attachment_id=attachment.pk)
    assert Attachment.objects.count() == 1
    remove_from_draft(ticket, by=ann, attachment_id=attachment.pk)
    assert Attachment.objects.count() == 0
    assert not attachment.file.storage.exists(attachment.file.name)


# --- the doors ------------------------------------------------------------------------------


def test_form_without_scripts_sends_with_its_files(client, ann):
    ticket = opened()
    data = {
        "kind": "public",
        "text": "Look.\r\nHere.",
        "then_status": "solved",
        "key": "k",
        "seen": ticket.messages.get().pk,
        "files": [a_file("a.txt"), a_file("b.txt")],
    }
    page = words(client.post(url_of(ticket, "send"), data, follow=True))
    assert "Waiting to be sent" in page
    assert "a.txt" in page
    message = ticket.messages.get(direction="out")
    assert (message.text, message.attachments.count()) == ("Look.\nHere.", 2)
    ticket.refresh_from_db()
    assert ticket.status == "solved"


def test_form_without_scripts_keeps_what_could_not_be_sent(client, ann):
    ticket = opened()
    seen = ticket.messages.get().pk
    receive_message(ticket, text="Wait!")
    data = {"kind": "public", "text": "Done.", "key": "k", "seen": seen}
    page = words(client.post(url_of(ticket, "send"), data, follow=True))
    assert "Something was written here meanwhile. Read it, then send again." in page
    assert "Wait!" in page
    assert "Done." in page
    assert draft_of(ticket, ann).text == "Done."


def test_script_is_told_what_came_meanwhile(client):
    ticket = opened()
    came = receive_message(ticket, text="<b>Wait!</b>")
    data = {"kind": "public", "text": "Done.", "key": "k", "seen": came.pk - 1}
    response = client.post(url_of(ticket, "send"), data, headers=FETCH)
    told = response.json()
    assert (response.status_code, told["seen"]) == (409, came.pk)
    assert "&lt;b&gt;Wait!&lt;/b&gt;" in told["overtaken"]
    response = client.post(url_of(ticket, "send"), data | {"seen": told["seen"]}, headers=FETCH)
    message = ticket.messages.get(direction="out")
    assert response.json() == {"to": f"{url_of(ticket)}#message-{message.pk}"}


def test_script_is_told_why_nothing_was_sent(client):
    ticket = opened()
    response = client.post(url_of(ticket, "send"), {"text": " "}, headers=FETCH)
    assert (response.status_code, response.json()) == (400, {"errors": ["Write the answer first."]})


def test_sending_later_is_read_in_the_readers_zone(client, ann):
    ann.time_zone = "Europe/Berlin"
    ann.save()
    day = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%d")
    ticket = opened()
    data = {"text": "Later.", "send_at": f"{day}T09:30", "then_status": "solved", "key": "k"}
    assert client.post(url_of(ticket, "send"), data, headers=FETCH).status_code == 200
    message = ticket.messages.get(direction="out")
    local = message.send_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert local.strftime("%Y-%m-%dT%H:%M") == f"{day}T09:30"
    ticket.refresh_from_db()
    assert (ticket.status, message.then_status) == ("open", "solved")
    page = words(client.get(url_of(ticket)))
    assert "To be sent on" in page
    assert ", then solved Don't send" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [("2020-01-01T00:00", "has passed"), ("soon", "year, month"), ("9999-12-31T23:59", "coming")],
)
def test_sending_at_no_good_time_is_refused(client, typed, said):
    data = {"text": "Later.", "send_at": typed}
    response = client.post(url_of(opened(), "send"), data, headers=FETCH)
    assert response.status_code == 400
    assert said in response.json()["errors"][0]


def test_after_sending_the_next_ticket_follows(client, ann):
    ticket, following = opened(), opened()
    assign(following, ann, by=ann)
    data = {"text": "Done.", "after": "next", "key": "k"}
    told = client.post(url_of(ticket, "send"), data, headers=FETCH).json()
    assert told == {"to": url_of(following)}
    told = client.post(url_of(following, "send"), data, headers=FETCH).json()
    assert told == {"to": reverse("admin:support_ticket_changelist")}


def test_draft_door_answers_with_versions(client, ann):
    ticket = opened()
    told = client.post(url_of(ticket, "draft"), {"text": "One", "version": ""}).json()
    assert told == {"version": version_of(draft_of(ticket, ann))}
    stale = client.post(url_of(ticket, "draft"), {"text": "Two", "version": ""})
    assert (stale.status_code, stale.json()["text"]) == (409, "One")
    assert 'name="text" rows="4"' in client.get(url_of(ticket)).content.decode()
    assert "One</textarea>" in client.get(url_of(ticket)).content.decode()
    other = Client()
    other.force_login(agent())
    assert f"{ann} has a draft here" in words(other.get(url_of(ticket)))


def test_upload_names_file_and_remedy(client, settings):
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    ticket = opened()
    told = client.post(url_of(ticket, "upload"), {"file": a_file("a.txt")}).json()
    assert "a.txt" in told["row"]
    big = client.post(url_of(ticket, "upload"), {"file": a_file("b.txt", b"x" * 1024 * 1025)})
    assert big.json() == {"errors": ["“b.txt” is too large: at most 1 MB are possible."]}
    program = client.post(url_of(ticket, "upload"), {"file": a_file("c.exe")})
    assert program.json()["errors"][0].startswith("“c.exe” is a program")
    assert client.post(url_of(ticket, "upload")).status_code == 400


def test_preview_shows_the_mail_with_its_signature(client):
    response = client.post(url_of(opened(), "preview"), {"text": "Hello <b>Ada</b>"})
    assert "Hello &lt;b&gt;Ada&lt;/b&gt;" in response.content.decode()
    assert "Ann, Support" in words(response)
    assert "To ada@example.com" in words(response)


def test_undo_by_button_brings_the_words_back(client, ann):
    ticket = opened()
    message = answer(ticket, by=ann, text="Oops.")
    page = words(client.post(url_of(ticket, "undo", message.pk), follow=True))
    assert "Taken back: nothing was sent" in page
    assert draft_of(ticket, ann).text == "Oops."


# --- what is handed out -----------------------------------------------------------------------


def test_files_are_downloads_that_no_browser_shows(client, ann):
    ticket = opened()
    attachment = attach_to_draft(
        ticket, by=ann, name="x.svg", content=a_file("x.svg", b"<svg onload='alert(1)'/>")
    )
    response = client.get(url_of(ticket, "file", attachment.pk))
    assert b"".join(response.streaming_content) == b"<svg onload='alert(1)'/>"
    assert response["Content-Disposition"] == 'attachment; filename="x.svg"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    other = Client()
    other.force_login(agent())
    assert other.get(url_of(ticket, "file", attachment.pk)).status_code == 404
    answer(ticket, by=ann, text="Here.")
    assert b"".join(other.get(url_of(ticket, "file", attachment.pk)).streaming_content)
    assert other.get(url_of(opened(), "file", attachment.pk)).status_code == 404


def test_mail_is_shown_without_rights_and_from_nowhere(client):
    ticket = opened(html='<p>Hi</p><img src="https://tracker.example/x.gif">')
    response = client.get(url_of(ticket, "html", ticket.messages.get().pk))
    policy = response["Content-Security-Policy"]
    assert "sandbox allow-popups; default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "<p>Hi</p>" in response.content.decode()


def test_general_queue_signs_where_the_agent_has_no_signature(client, ann):
    ann.agent.signature = ""
    ann.agent.save()
    Queue.objects.update(signature="Your general desk")
    assert "Your general desk" in words(client.post(url_of(opened(), "preview"), {"text": "Hi"}))


def test_deadline_is_known_as_soon_as_an_answer_is_said_or_taken_back(ann, settings):
    settings.SUPPORT_UNDO_SECONDS = 60
    calendar = Calendar.objects.create(name="Always", time_zone="UTC")
    for weekday in range(7):
        calendar.slots.create(weekday=weekday, from_minute=0, to_minute=24 * 60)
    SlaPolicy.objects.create(name="All", calendar=calendar, next_response_minutes=60)
    ticket = opened()
    refresh_clocks([ticket.pk])
    ticket.refresh_from_db()
    due_at = ticket.due_at
    assert due_at is not None

    message = answer(ticket, by=ann, text="We look into it.")
    assert (ticket.status, ticket.due_at) == ("waiting", None)
    undo_answer(message, by=ann)
    ticket.refresh_from_db()
    assert ticket.status == "open"
    rested = ticket.due_at - due_at  # while the answer was on its way
    assert timedelta(0) <= rested < timedelta(minutes=1)


def test_deadline_is_known_as_soon_as_the_status_is_set_by_hand(client):
    calendar = Calendar.objects.create(name="Always", time_zone="UTC")
    calendar.slots.create(weekday=0, from_minute=0, to_minute=24 * 60)
    SlaPolicy.objects.create(name="All", calendar=calendar, first_response_minutes=60)
    ticket = opened()
    client.post(url_of(ticket, "do", "status"), {"status": "on_hold"})
    client.post(url_of(ticket, "do", "status"), {"status": "open"})
    ticket.refresh_from_db()
    assert ticket.due_at is not None


PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001")


def shown_mail(client, html, **files):
    """The HTML of a message that came with these files, by Content-ID."""
    ticket = opened()
    message = receive_message(ticket, text="See below.", channel="email")
    Message.objects.filter(pk=message.pk).update(html=html)
    for content_id, (name, content) in files.items():
        store_attachment(name, content, message=message, content_id=content_id)
    return client.get(url_of(ticket, "html", message.pk)).content.decode()


def test_picture_within_a_mail_is_shown_in_its_place(client):
    page = shown_mail(client, '<p>Look:</p><img src="cid:logo">', logo=("logo.png", PIXEL))
    assert f'<img src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}">' in page


@pytest.mark.parametrize("name", ["logo.svg", "logo.html"])
def test_what_is_no_plain_picture_is_never_put_into_a_mail(client, name):
    page = shown_mail(client, '<img src="cid:logo">', logo=(name, b"<svg onload='alert(1)'/>"))
    assert '<img src="">' in page


def test_picture_that_did_not_come_leaves_its_place_empty(client):
    assert '<img src="">' in shown_mail(client, '<img src="cid:gone">')


def test_pictures_of_a_mail_have_a_limit(client, monkeypatch):
    monkeypatch.setattr(inline_pictures, "MOST_BYTES", len(PIXEL))
    html = '<img src="cid:one"><img src="cid:two">'
    page = shown_mail(client, html, one=("1.png", PIXEL), two=("2.png", PIXEL))
    assert page.count("data:image/png") == 1


def test_answer_of_another_system_names_it(client):
    ticket = opened()
    message = add_note(ticket, by=None, text="Router restarted.")
    Message.objects.filter(pk=message.pk).update(author_name="Host product")
    assert "Host product note" in words(client.get(url_of(ticket)))
