"""Rules: when they run, how often at the most, and what happens when one fails."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.roles import Role
from support import automation
from support.automation import run_event_rules, run_timed_rules, sentence, try_rule
from support.conditions import parts_of
from support.models import AutomationRule, RuleRun, StaffNotice, Ticket, TicketEvent
from support.processing import process_events
from support.tickets import change_tags, receive_message, reply, set_queue, set_status
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, opened

pytestmark = pytest.mark.django_db


def rule(*actions, on=(), **fields):
    number = AutomationRule.objects.count() + 1
    return AutomationRule.objects.create(
        **{"name": f"Rule {number}", "position": number, "on_events": list(on)} | fields,
        actions=list(actions),
    )


def tag(name):
    return {"do": "add_tags", "tags": [name]}


def process():
    while process_events():
        pass


def tags(ticket):
    ticket.refresh_from_db()
    return ticket.tags


def test_rule_answers_its_events_where_its_condition_fits():
    vip = rule(tag("vip"), on=["opened"], condition='customer.segment = ""')
    rule(tag("german"), on=["opened"], condition='language = "de"')
    rule(tag("switched off"), on=["opened"], is_active=False)
    ticket = opened()
    process()
    assert tags(ticket) == ["vip"]
    run = RuleRun.objects.get()
    assert (run.rule, run.ticket, run.event.kind, run.error) == (vip, ticket, "opened", "")
    line = ticket.events.get(kind="rule")
    assert line.data == {"rule": vip.pk, "name": "Rule 1", "does": ["add the tag vip"]}
    assert ticket.events.get(kind="tags").reason == "rule “Rule 1”"
    assert {line.depth for line in ticket.events.filter(kind__in=["rule", "tags"])} == {1}


def test_rule_sees_what_those_before_it_changed():
    rule(tag("second"), on=["opened"], condition='tag = "first"', position=2)
    rule(tag("first"), on=["opened"], position=1)
    ticket = opened()
    process()
    assert tags(ticket) == ["first", "second"]


def test_rule_that_stops_keeps_the_later_ones_from_this_event_only():
    rule(tag("a"), on=["opened"], condition='subject ~ "vip"', stops=True)
    rule(tag("b"), on=["opened", "message_in"])
    vip, other = opened(subject="vip waits"), opened(subject="other")
    process()
    assert (tags(vip), tags(other)) == (["a"], ["b"])
    receive_message(vip, text="Hello?")
    process()
    assert tags(vip) == ["a", "b"]


def test_rule_runs_once_an_event():
    rule({"do": "note", "text": "Seen."}, on=["opened"])
    ticket = opened()
    event = ticket.events.get()
    assert [run_event_rules([event]), run_event_rules([event])] == [1, 0]
    assert ticket.messages.filter(kind="internal").count() == 1


def test_what_no_person_wrote_sets_no_rule_off():
    rule(tag("wrote"), on=["message_in", "message_out"])
    ticket = opened()
    receive_message(ticket, text="I am away.", is_automatic=True)
    reply(ticket, by=None, text="We got it.", is_automatic=True)
    process()
    assert tags(ticket) == []
    receive_message(ticket, text="Really away?")
    process()
    assert tags(ticket) == ["wrote"]


def test_rules_that_set_each_other_off_are_stopped_and_people_told():
    lead = staff(Role.SUPPORT_LEAD)
    billing = QueueFactory(slug="billing")
    rule({"do": "set_queue", "queue": "general"}, on=["queue"], condition='queue = "billing"')
    rule({"do": "set_queue", "queue": "billing"}, on=["queue"], condition='queue = "general"')
    ticket = opened()
    set_queue(ticket, billing, by=None)
    process()
    # Each move sets both off, one after the other, so that it ends where it began.
    assert TicketEvent.objects.filter(kind="queue").count() == 1 + 2 * automation.MOST_DEPTH
    stopped = RuleRun.objects.exclude(error="")
    assert [run.error for run in stopped] == [
        "Stopped: rules keep setting each other off (5 in a row)"
    ]
    notice = StaffNotice.objects.get()
    assert (notice.user, notice.ticket) == (lead, ticket)
    assert "Rule 1” was stopped" in notice.text


def test_a_ticket_has_so_many_runs_an_hour_and_no_more(monkeypatch):
    monkeypatch.setattr("support.automation.limits.MOST_AN_HOUR", 3)
    staff(Role.SUPPORT_LEAD)
    rule({"do": "note", "text": "Again."}, on=["message_in"])
    ticket, other = opened(), opened()
    for _turn in range(6):
        receive_message(ticket, text="Hello?")
        process()
    receive_message(other, text="Hello?")
    process()
    assert RuleRun.objects.filter(ticket=ticket, error="").count() == 3
    assert RuleRun.objects.filter(ticket=ticket).exclude(error="").count() == 1
    assert RuleRun.objects.filter(ticket=other, error="").count() == 1
    assert StaffNotice.objects.count() == 1


def test_rule_that_fails_is_kept_told_once_and_harms_nothing_else():
    staff(Role.SUPPORT_LEAD)
    broken = rule(tag("lost"), {"do": "set_queue", "queue": "gone"}, on=["opened"])
    rule(tag("kept"), on=["opened"])
    first, second = opened(), opened()
    process()
    assert (tags(first), tags(second)) == (["kept"], ["kept"])
    errors = set(RuleRun.objects.filter(rule=broken).values_list("error", flat=True))
    assert errors == {"Action 2 (set_queue): The queue “gone” is gone."}
    assert StaffNotice.objects.count() == 1
    assert not TicketEvent.objects.exclude(error="").exists()
    assert mail.outbox == []


def test_rule_that_breaks_unexpectedly_is_kept_too(monkeypatch):
    rule(tag("a"), on=["opened"])
    rule(tag("b"), on=["opened"])

    def crash(actions, *given, **more):
        if actions == [tag("a")]:
            raise ZeroDivisionError
        return perform(actions, *given, **more)

    from support.automation.running import perform

    monkeypatch.setattr("support.automation.running.perform", crash)
    ticket = opened()
    process()
    assert tags(ticket) == ["b"]
    assert RuleRun.objects.exclude(error="").get().error == "ZeroDivisionError: "


def test_condition_that_means_nothing_any_more_fits_nothing():
    rule(tag("a"), on=["opened"], condition="field_of_yesterday = 1")
    rule(tag("b"), on=["opened"])
    ticket = opened()
    process()
    assert tags(ticket) == ["b"]


def test_refused_move_is_kept_with_the_run():
    rule({"do": "set_status", "status": "waiting"}, on=["status"])
    ticket = opened()
    process()
    set_status(ticket, "closed", by=None)
    process()
    assert RuleRun.objects.get().error == "This ticket is closed: it cannot become waiting."


@pytest.mark.parametrize("number", [1, 3])
def test_matching_costs_the_same_however_many_events(number):
    rule(tag("never"), on=["opened"], condition='plan = "none" and language = "ru"')
    events = [opened().events.get() for _turn in range(number)]
    with CaptureQueriesContext(connection) as queries:
        run_event_rules(events)
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        run_event_rules([event for event in events if event.kind == "solved"])
    assert len(queries) == 1


def timed(field="unanswered_since", minutes=60, **fields):
    return rule(tag("late"), after_field=field, after_minutes=minutes, **fields)


def test_rule_on_time_acts_once_a_ticket_and_moment():
    timed()
    ticket, fresh = opened(), opened()
    Ticket.objects.filter(pk=ticket.pk).update(
        unanswered_since=timezone.now() - timedelta(minutes=61)
    )
    assert [run_timed_rules(), run_timed_rules()] == [1, 0]
    assert (tags(ticket), tags(fresh)) == (["late"], [])
    change_tags(ticket, by=None, remove=["late"])
    assert run_timed_rules() == 0
    Ticket.objects.filter(pk=ticket.pk).update(
        unanswered_since=timezone.now() - timedelta(minutes=60)
    )
    assert run_timed_rules() == 1
    run = RuleRun.objects.latest("id")
    ticket.refresh_from_db()
    assert (run.event, run.moment) == (None, ticket.unanswered_since)


def test_rule_on_time_leaves_what_is_over_and_what_does_not_fit():
    timed("created_at", minutes=0, condition='language = "de"')
    done, english, german = opened(language="de"), opened(), opened(language="de")
    set_status(done, "solved", by=None)
    assert run_timed_rules() == 1
    assert [tags(t) for t in (done, english, german)] == [[], [], ["late"]]


def test_rule_that_counts_from_solving_closes_solved_tickets():
    rule({"do": "set_status", "status": "closed"}, after_field="solved_at", after_minutes=0)
    ticket, other = opened(), opened()
    set_status(ticket, "solved", by=None)
    assert run_timed_rules() == 1
    ticket.refresh_from_db()
    other.refresh_from_db()
    assert (ticket.status, other.status) == ("closed", "new")


def test_rule_on_time_that_fails_is_kept_and_not_tried_for_ever():
    rule({"do": "set_queue", "queue": "gone"}, after_field="created_at", after_minutes=0)
    opened()
    assert [run_timed_rules(), run_timed_rules()] == [1, 0]
    assert "is gone" in RuleRun.objects.get().error


def test_rule_on_time_that_stops_keeps_later_ones_off_in_this_round():
    timed("created_at", 0, stops=True)
    rule(tag("b"), after_field="created_at", after_minutes=0)
    ticket = opened()
    run_timed_rules()
    assert tags(ticket) == ["late"]


def test_rule_in_words():
    one = rule(tag("vip"), {"do": "assign", "to": ""}, on=["opened", "message_in"])
    assert sentence(one).when == "opened or customer wrote"
    assert sentence(one).does == ["add the tag vip", "give it back to its queue"]
    times = {90: "90 minutes", 60: "1 hour", 2880: "2 days", 0: "0 minutes"}
    for minutes, words in times.items():
        assert sentence(timed(minutes=minutes)).when == f"{words} after the customer began to wait"
    assert sentence(rule(tag("x"))).when == "never"


def test_rule_tried_on_a_ticket_changes_nothing_and_says_which_part_does_not_fit():
    one = rule(
        tag("vip"),
        on=["opened"],
        condition='language = "en" and (status in ("open", "solved") or tag = "x")',
    )
    ticket = opened()
    with CaptureQueriesContext(connection) as queries:
        trial = try_rule(one, ticket)
    assert len(queries) == 1
    assert not trial.fits
    assert trial.parts == [
        ('language = "en"', True), ('status in ("open", "solved")', False), ('tag = "x"', False),
    ]  # fmt: skip
    assert trial.does == ["add the tag vip"]
    set_status(ticket, "open", by=None)
    assert try_rule(one, ticket).fits
    assert try_rule(rule(tag("x")), ticket).fits
    assert tags(ticket) == []


def test_condition_falls_into_its_comparisons():
    assert parts_of("") == []
    assert parts_of('((band >= "high"))') == ['band >= "high"']
    assert parts_of('tag not in ("a",\n"b") or\n score > 3') == [
        'tag not in ("a",\n"b")', "score > 3",
    ]  # fmt: skip
