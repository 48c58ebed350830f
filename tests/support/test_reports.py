"""How the desk does, in figures."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from backoffice.accounts.roles import Role
from support.models import SlaPolicy, Ticket
from support.reports import Scope, report_of, ticket_lines
from tests.accounts.factories import staff
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory, agent

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 10, 14, 9, tzinfo=UTC)


def ticket(at=DAY, *, first=None, solved=None, **fields):
    """Opened `at`, answered and solved so many minutes later."""
    row = TicketFactory(customer=None, requester_address="ada@example.com", **fields)
    changes = {"created_at": at}
    if first is not None:
        changes["first_response_at"] = at + timedelta(minutes=first)
    if solved is not None:
        changes |= {"status": "solved", "solved_at": at + timedelta(minutes=solved)}
    Ticket.objects.filter(pk=row.pk).update(**changes)
    return row


def scope(**more):
    return Scope(**{"reader": None, "first": DAY.date(), "last": DAY.date()} | more)


def test_speed_is_median_and_ninetieth_percentile():
    for minutes in range(1, 12):
        ticket(first=minutes, solved=minutes * 10)
    ticket()
    total = report_of(scope()).total
    assert (total.tickets, total.answered, total.solved) == (12, 11, 11)
    assert total.first_response_median == timedelta(minutes=6)
    assert total.first_response_p90 == timedelta(minutes=10)
    assert total.resolution_median == timedelta(minutes=60)


def test_of_nothing_nothing_is_said():
    total = report_of(scope()).total
    assert (total.tickets, total.first_response_median, total.kept_percent) == (0, None, None)


def test_promises_count_where_something_was_promised(db):
    from support.models import Calendar

    policy = SlaPolicy.objects.create(
        name="Standard", calendar=Calendar.objects.create(name="Always")
    )
    ticket()
    for breaches in (0, 0, 1):
        ticket(sla_policy=policy, breaches=breaches)
    total = report_of(scope()).total
    assert (total.promised, total.kept, total.kept_percent) == (3, 2, 66)


def test_days_without_tickets_are_there_too():
    ticket(), ticket(DAY + timedelta(days=2))
    report = report_of(scope(last=date(2026, 10, 16)))
    assert [count for _day, count in report.by_day] == [1, 0, 1]
    assert dict(report.by_hour)[9] == 2
    assert len(report.by_hour) == 24


def test_bounds_are_whole_days_in_utc():
    ticket(datetime(2026, 10, 14, tzinfo=UTC))
    ticket(datetime(2026, 10, 14, 23, 59, 59, tzinfo=UTC))
    ticket(datetime(2026, 10, 15, tzinfo=UTC))
    assert report_of(scope()).total.tickets == 2


def test_queue_agent_channel_incident_each_in_order():
    queue, ann = QueueFactory(name="Billing"), agent()
    incident = IncidentFactory(number="INC-2026-001", title="Fibre")
    for _n in range(2):
        ticket(queue=queue, assignee=ann, incident=incident)
    ticket(channel="web")
    report = report_of(scope())
    assert [(label, speed.tickets) for label, speed in report.by_queue] == [
        ("Billing", 2), ("General", 1),
    ]  # fmt: skip
    assert [(label, speed.tickets) for label, speed in report.by_agent] == [(ann.email, 2)]
    assert report.by_channel == [("e-mail", 2), ("web", 1)]
    assert report.by_incident == [("INC-2026-001 Fibre", 2)]
    assert report_of(scope(queue=queue)).total.tickets == 2
    assert report_of(scope(agent=ann)).total.tickets == 2


def test_reader_counts_only_what_they_see():
    ticket(), ticket(queue=QueueFactory())
    hidden = QueueFactory()
    agent(hidden)
    ticket(queue=hidden)
    assert report_of(scope(reader=agent())).total.tickets == 2
    assert report_of(scope(reader=staff(Role.SUPPORT_LEAD))).total.tickets == 3


def test_same_queries_for_one_and_many(django_assert_num_queries):
    for _turn in range(2):
        ticket(queue=QueueFactory(), assignee=agent())
        with django_assert_num_queries(8):
            report_of(scope())


@pytest.mark.parametrize(
    ("first", "last"), [("2026-10-15", "2026-10-14"), ("2020-01-01", "2026-10-14")]
)
def test_range_that_makes_no_sense_is_told(first, last, client):
    with pytest.raises(ValidationError):
        scope(first=date.fromisoformat(first), last=date.fromisoformat(last))
    client.force_login(staff(Role.SUPPORT_LEAD))
    page = client.get(reverse("support-reports"), {"first": first, "last": last})
    assert page.status_code == 200
    assert "am-error" in page.content.decode()
    refused = client.get(reverse("support-reports-csv"), {"first": first, "last": last})
    assert refused.status_code == 400


def test_csv_runs_no_formula(client):
    row = ticket(subject='=HYPERLINK("http://evil")', tags=["-1"])
    lines = list(ticket_lines(scope()))
    assert lines[1][0] == row.number
    assert lines[1][1] == '\'=HYPERLINK("http://evil")'
    assert lines[1][9] == "'-1"
    client.force_login(staff(Role.SUPPORT_LEAD))
    asked = {"first": "2026-10-14", "last": "2026-10-14"}
    response = client.get(reverse("support-reports-csv"), asked)
    text = b"".join(response.streaming_content).decode()
    assert [line[0] for line in csv.reader(io.StringIO(text))] == ["number", row.number]


def test_page_shows_the_figures(client):
    ticket(first=61, solved=125)
    client.force_login(staff(Role.SUPPORT_LEAD))
    asked = {"first": "2026-10-14", "last": "2026-10-14"}
    page = client.get(reverse("support-reports"), asked).content.decode()
    assert "1 h 1 min" in page
    assert "2 h 5 min" in page
