"""Conditions on tickets: what they find, and what they refuse with place and remedy."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from support.conditions import ConditionError, matching, parse_ticket_condition
from support.models import Queue, Ticket
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory

pytestmark = pytest.mark.django_db


def found(text, **options):
    rows = Ticket.objects.filter(parse_ticket_condition(text, **options))
    return sorted(rows.values_list("subject", flat=True))


@pytest.fixture
def desk():
    """Three tickets: acme's about the outage, beta's question, and a stranger's."""
    billing = QueueFactory(name="Billing", slug="billing")
    incident = IncidentFactory(number="INC-2026-014", severity="critical")
    acme = CustomerFactory(reference="acme", segment="business", country="DE", language="de")
    beta = CustomerFactory(reference="beta", segment="consumer", country="AT")
    SubscriptionFactory(customer=acme, plan="Enterprise")
    SubscriptionFactory(customer=acme, plan="Fibre")
    SubscriptionFactory(customer=beta, plan="Basic")
    SubscriptionFactory(customer=beta, plan="Enterprise", status="canceled")
    TicketFactory(
        subject="acme", customer=acme, language="de", band=4, score=80, sentiment=-60,
        tags=["outage", "vip"], incident=incident, breaches=2, messages_count=5,
        unanswered_since=timezone.now() - timedelta(minutes=90, seconds=5),
    )  # fmt: skip
    ann = staff(Role.SUPPORT_AGENT, email="ann@example.com")
    TicketFactory(
        subject="beta asks", customer=beta, queue=billing, assignee=ann, status="open", band=1,
        reopened=1, tags=["invoice"], unanswered_since=timezone.now() - timedelta(minutes=10),
    )  # fmt: skip
    stranger = TicketFactory(
        subject="stranger", customer=None, channel="web", status="waiting",
        due_at=datetime(2030, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    Ticket.objects.filter(pk=stranger.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["acme", "beta asks", "stranger"]),
        ('status = "new"', ["acme"]),
        ('status in ("new", "open")', ["acme", "beta asks"]),
        ('channel = "web"', ["stranger"]),
        ('language = "de"', ["acme"]),
        ('band >= "high"', ["acme"]),
        ('band = "URGENT"', ["acme"]),
        ("band < 2", ["beta asks"]),
        ('band in ("low", 4)', ["acme", "beta asks"]),
        ("score > 79 and sentiment < 0", ["acme"]),
        ('queue = "billing"', ["beta asks"]),
        ('queue != "billing"', ["acme", "stranger"]),
        ('assignee = "ann@example.com"', ["beta asks"]),
        ('assignee = ""', ["acme", "stranger"]),
        ("assignee = None", ["acme", "stranger"]),
        ('assignee != ""', ["beta asks"]),
        ('assignee != "ann@example.com"', ["acme", "stranger"]),
        ('assignee in ("", "ann@example.com")', ["acme", "beta asks", "stranger"]),
        ('assignee ~ "ANN"', ["beta asks"]),
        ('tag = "vip"', ["acme"]),
        ('tag = " VIP "', ["acme"]),
        ('tag != "vip"', ["beta asks", "stranger"]),
        ('tag in ("vip", "invoice")', ["acme", "beta asks"]),
        ('tag not in ("vip", "invoice")', ["stranger"]),
        ('tag = "never used"', []),
        ('subject ~ "ASK"', ["beta asks"]),
        ('incident = "INC-2026-014"', ["acme"]),
        ('incident = ""', ["beta asks", "stranger"]),
        ("incident != None", ["acme"]),
        ('incident.severity in ("major", "critical")', ["acme"]),
        ('customer.segment = "business"', ["acme"]),
        ('customer.country != "DE"', ["beta asks", "stranger"]),
        ('customer.language = "de"', ["acme"]),
        ('customer.reference = "beta"', ["beta asks"]),
        ('plan = "Enterprise"', ["acme"]),
        ('plan = "Enterprise" and plan = "Fibre"', ["acme"]),
        ('plan != "Enterprise"', ["beta asks", "stranger"]),
        ('plan not in ("Enterprise", "Basic")', ["stranger"]),
        ('plan ~ "bas"', ["beta asks"]),
        ("waiting_minutes > 89", ["acme"]),
        ("waiting_minutes > 90", []),
        ("waiting_minutes >= 10", ["acme", "beta asks"]),
        ("waiting_minutes = 10", ["beta asks"]),
        ("waiting_minutes != 10", ["acme", "stranger"]),
        ("waiting_minutes = 0", ["stranger"]),
        ("waiting_minutes < 10", ["stranger"]),
        ("waiting_minutes <= 10", ["beta asks", "stranger"]),
        ("waiting_minutes in (0, 90)", ["acme", "stranger"]),
        (f"waiting_minutes < {10**30}", ["acme", "beta asks", "stranger"]),
        ("breaches >= 2", ["acme"]),
        ("reopened = 1", ["beta asks"]),
        ("messages = 5", ["acme"]),
        ('created_at < "2026-02-01"', ["stranger"]),
        ("due_at != None", ["stranger"]),
        ('tag = "vip" and (status = "open" or customer.country = "DE")', ["acme"]),
    ],
)
def test_ticket_condition_finds(desk, text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ('status = "nwe"', 10, "Did you mean “new”?"),
        ('queue = "biling"', 9, "there is no such queue. Did you mean “billing”?"),
        ('assignee = "an@example.com"', 12, "Did you mean “ann@example.com”?"),
        ('incident = "INC-2026-041"', 12, "there is no such incident. Did you mean “INC-2026-014”"),
        ('incident.severity = "catastrophic"', 21, "Known are: none, minor, major, critical."),
        ('plan = "Entreprise"', 8, "Did you mean “Enterprise”?"),
        ('customer.segment = "busines"', 20, "Did you mean “business”?"),
        ('segment = "business"', 1, "Did you mean “customer.segment”?"),
        ('severity = "major"', 1, "Did you mean “incident.severity”?"),
        ('customer = "acme"', 1, "Name one of its fields, such as customer.reference."),
        ('customer.email = "a"', 1, "There is no field “email” here."),
        ('tag ~ "vi"', 1, "“~” does not compare tags. Use = != or in"),
        ('band = "very high"', 8, "low, normal, high, urgent, or 1 to 4"),
        ("band = True", 8, "low, normal, high, urgent, or 1 to 4"),
        ('score = "high"', 9, "integer numbers"),
        ("waiting_minutes > 1.5", 19, "integer numbers"),
        ("tag = None", 7, "not nullable"),
        ("status =", 9, 'such as status = "new".'),
        ('status = "new" ;', 16, 'Write conditions like status = "new" and tag = "vip".'),
    ],
)
def test_ticket_condition_refused_with_place_and_remedy(desk, text, column, words):
    with pytest.raises(ConditionError) as caught:
        parse_ticket_condition(text)
    assert caught.value.column == column
    assert words in str(caught.value)


def test_condition_of_a_queue_that_is_gone_fits_nothing(desk):
    assert found('queue = "closed-long-ago"', check_values=False) == []


def test_matching_narrows_a_set_in_one_query(desk):
    tickets = Ticket.objects.filter(queue=Queue.objects.get(is_default=True))
    with CaptureQueriesContext(connection) as queries:
        fitting = matching(tickets, 'plan = "Enterprise" and queue = "general"')
        assert [ticket.subject for ticket in fitting] == ["acme"]
    assert len(queries) == 1


WORDS = [
    "status", "=", '"new"', "and", "or", "(", ")", "in", "not", "None", "5", ",", "band", "tag",
    "incident", "incident.severity", "customer.country", "waiting_minutes", "!=", "~", ">", '""',
    "assignee", "plan", '"2026-02-30"', "created_at", "-1",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_ticket_condition_of_any_text_is_understood_or_refused(desk, text):
    try:
        condition = parse_ticket_condition(text)
    except ConditionError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017
    else:
        Ticket.objects.filter(condition).count()


def test_ticket_completion_offers_fields_and_known_values(client, desk):
    client.force_login(staff(Role.SUPPORT_AGENT))
    fields = client.get(reverse("ticket-condition-fields")).json()
    assert fields["current_model"] == "support.ticket"
    assert sorted(fields["models"]) == [
        "customers.customer", "incidents.incident", "support.ticket",
    ]  # fmt: skip
    values = reverse("ticket-condition-values")
    for field, search, expected in (
        ("queue", "", ["billing", "general"]),
        ("tag", "vi", ["vip"]),
        ("band", "", ["low", "normal", "high", "urgent"]),
        ("plan", "ent", ["Enterprise"]),
        ("incidents.incident.severity", "maj", ["major"]),
    ):
        answer = client.get(values, {"field": field, "search": search})
        assert answer.json()["items"] == expected, field
