"""Actions: what is refused beforehand, what they do, and what they say they do."""

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from support.actions import check_actions, describe, perform
from support.models import StaffNotice, TicketEvent
from support.staff_notices import notify, send_staff_notices
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    person = staff(Role.SUPPORT_AGENT, email="ann@example.com")
    QueueFactory(name="Billing", slug="billing").members.set([person])
    return person


def test_actions_are_done_in_order_and_leave_their_lines(ann):
    ticket = opened(tags=["old"])
    actions = [
        {"do": "add_tags", "tags": ["VIP", "outage"]},
        {"do": "remove_tags", "tags": ["old"]},
        {"do": "set_queue", "queue": "billing"},
        {"do": "assign", "to": "ann@example.com"},
        {"do": "raise_priority", "band": "high"},
        {"do": "set_language", "language": "de"},
        {"do": "note", "text": "Called back."},
        {"do": "set_status", "status": "on_hold"},
    ]
    check_actions(actions)
    perform(actions, ticket, by=None, reason="rule “x”")
    ticket.refresh_from_db()
    assert ticket.tags == ["outage", "vip"]
    assert (ticket.queue.slug, ticket.assignee, ticket.band_floor) == ("billing", ann, 3)
    assert (ticket.language, ticket.status) == ("de", "on_hold")
    assert [event.kind for event in ticket.events.order_by("id")] == [
        "opened", "tags", "tags", "queue", "assigned", "status", "priority", "changed", "note",
        "status",
    ]  # fmt: skip
    assert ticket.events.get(kind="queue").reason == "rule “x”"
    assert ticket.messages.get(kind="internal").text == "Called back."


def test_actions_are_done_all_or_none():
    ticket = opened()
    actions = [{"do": "add_tags", "tags": ["vip"]}, {"do": "set_queue", "queue": "gone"}]
    with pytest.raises(ValidationError) as caught:
        perform(actions, ticket, by=None, reason="x")
    assert caught.value.messages == ["Action 2 (set_queue): The queue “gone” is gone."]
    ticket.refresh_from_db()
    assert ticket.tags == []
    assert TicketEvent.objects.filter(ticket=ticket).count() == 1


def test_actions_are_bound_by_what_the_person_may():
    ticket = opened(queue=QueueFactory())
    outsider = agent()
    ticket.queue.members.set([agent()])
    with pytest.raises(PermissionDenied):
        perform([{"do": "add_tags", "tags": ["vip"]}], ticket, by=outsider, reason="x")
    with pytest.raises(MoveError):
        perform(
            [{"do": "set_status", "status": s} for s in ("closed", "open")],
            ticket, by=None, reason="x",
        )  # fmt: skip


def test_assign_to_me_and_to_nobody(ann):
    ticket = opened()
    perform([{"do": "assign", "to": "me"}], ticket, by=ann, reason="macro")
    assert ticket.assignee == ann
    perform([{"do": "assign", "to": ""}], ticket, by=ann, reason="macro")
    assert ticket.assignee is None
    with pytest.raises(ValidationError):
        perform([{"do": "assign", "to": "me"}], ticket, by=None, reason="rule")


@pytest.mark.parametrize(
    ("actions", "problem"),
    [
        ({}, "Actions are a list"),
        ([{"do": "add_tags", "tags": ["x"]}] * 21, "At most 20"),
        (["solve"], "Action 1 (?): Write it like"),
        ([{"tags": []}], "Action 1 (?): Write it like"),
        ([{"do": "explode"}], "There is no such action here. Use one of add_tags,"),
        ([{"do": []}], "There is no such action here."),
        ([{"do": "add_tags"}], "Name the tags"),
        ([{"do": "add_tags", "tags": [" "]}], "Name the tags"),
        ([{"do": "add_tags", "tags": "vip"}], "Name the tags"),
        ([{"do": "add_tags", "tags": ["x" * 51]}], "too long"),
        ([{"do": "add_tags", "tags": ["x"], "tag": 1}], "It knows no “tag”, only tags."),
        ([{"do": "set_status", "status": "new"}], "“status” must be one of open, waiting"),
        ([{"do": "assign"}], "Say to whom"),
        ([{"do": "assign", "to": "ghost@example.com"}], "Nobody on the staff has the address"),
        ([{"do": "set_queue", "queue": "billng"}], "must be one of billing, general"),
        ([{"do": "raise_priority", "band": 5}], "must be one of low, normal, high, urgent"),
        ([{"do": "raise_priority", "band": True}], "must be one of low"),
        ([{"do": "set_language", "language": "fr"}], "must be one of en, de, ru"),
        ([{"do": "note", "text": " "}], "“text” must have 1 to"),
        ([{"do": "macro", "name": "gone"}], "must be one of —"),
        ([{"do": "notify", "users": []}], "Say whom"),
        ([{"do": "notify", "users": ["ghost@example.com"]}], "Nobody on the staff"),
        ([{"do": "note", "text": "a"}, {"do": "x"}], "Action 2 (x): There is no such action"),
    ],
)
def test_actions_refused_with_place(ann, actions, problem):
    with pytest.raises(ValidationError) as caught:
        check_actions(actions)
    assert problem in " ".join(caught.value.messages)


def test_actions_that_make_no_sense_here_are_refused(ann):
    for action in ({"do": "macro", "name": "x"}, {"do": "assign", "to": "me"}):
        with pytest.raises(ValidationError):
            check_actions([action], without=frozenset({"macro", "me"}))
    check_actions([{"do": "assign", "to": "me"}, {"do": "assign", "to": ""}])


def test_actions_described_in_words():
    assert describe(
        [
            {"do": "add_tags", "tags": ["vip"]},
            {"do": "add_tags", "tags": ["a", "b", "c"]},
            {"do": "set_status", "status": "on_hold"},
            {"do": "assign", "to": ""},
            {"do": "raise_priority", "band": 4},
            {"do": "note", "text": "Called."},
            {"do": "notify", "users": ["assignee", "ann@example.com"]},
            {"do": "macro", "name": "Outage"},
            {"do": "no longer known"},
            {"do": "raise_priority", "band": 9},
        ]
    ) == [
        "add the tag vip",
        "add the tags a, b and c",
        "set the status to on hold",
        "give it back to its queue",
        "raise the priority to at least urgent",
        "note “Called.”",
        "tell its assignee and ann@example.com by e-mail",
        "answer with the macro “Outage”",
        "something unknown",
        "something unknown",
    ]


def test_notify_sends_one_mail_a_person(ann):
    ticket = opened()
    for _turn in range(2):
        perform(
            [{"do": "notify", "users": ["ann@example.com", "assignee"], "text": "VIP waits"}],
            ticket, by=None, reason="rule",
        )  # fmt: skip
    assert send_staff_notices() == 1
    assert [(m.to, m.subject) for m in mail.outbox] == [(["ann@example.com"], "2 pieces of news")]
    assert mail.outbox[0].body.count(f"{ticket.number}: VIP waits") == 2
    assert f"/admin/support/ticket/{ticket.pk}/change/" in mail.outbox[0].body
    assert send_staff_notices() == 0


def test_notice_that_cannot_be_sent_is_tried_again_later(ann, monkeypatch):
    def refuse(*given, **more):
        raise ConnectionRefusedError

    monkeypatch.setattr("support.staff_notices.send_mail", refuse)
    notify([ann, ann], text="line\nbreak", ticket=opened())
    assert send_staff_notices() == 0
    notice = StaffNotice.objects.get()
    assert (notice.attempts, notice.sent_at) == (1, None)
    monkeypatch.undo()
    assert send_staff_notices() == 0  # not yet
    StaffNotice.objects.update(next_at=notice.created_at)
    assert send_staff_notices() == 1
    assert "\n" not in mail.outbox[0].subject
