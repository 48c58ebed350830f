"""Limits, and what goes through finance."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.approval import reject_batch
from compensation.models import Award, Batch
from support.goodwill import Wish, give, limits_left, page_part, preview
from support.models import Goodwill, GoodwillLimit, TicketEvent
from support.tickets import merge_ticket
from tests.accounts.factories import staff
from tests.compensation.stories import approve, priced_batch
from tests.compensation.test_goodwill import at_once
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory, agent

CREDIT = ("credit", "EUR")


@pytest.fixture(autouse=True)
def asleep(monkeypatch):
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.goodwill.wake_issuing", lambda: None)
    monkeypatch.setattr("support.receivers.process_events.delay", lambda: None)


def limit(per_ticket=2500, per_day=10000, per_customer=20000, **fields):
    """Of EUR credit, for every support agent."""
    if "user" not in fields:
        fields["role"] = Group.objects.get(name=fields.pop("role", Role.SUPPORT_AGENT).value)
    fields = {"benefit": "credit", "currency": "EUR"} | fields
    if fields["benefit"] != "credit":
        fields["currency"] = ""
    return GoodwillLimit.objects.create(
        per_ticket=per_ticket, per_day=per_day, per_customer=per_customer, **fields
    )


def credit(amount_minor=2000, key="1", **fields):
    return Wish(
        **{"benefit": "credit", "amount_minor": amount_minor, "currency": "EUR",
           "reason": "Sorry for the wait.", "key": key} | fields
    )  # fmt: skip


def days(benefit, n, key="1", **fields):
    return Wish(benefit=benefit, days=n, reason="Sorry for the wait.", key=key, **fields)


class TestGive:
    pytestmark = pytest.mark.django_db

    def test_within_limits_it_is_given_at_once(self):
        limit()
        ticket, nora = TicketFactory.create(), agent()
        given = give(ticket, by=nora, wish=credit(2500))
        assert (given.award.state, given.batch) == ("approved", None)
        assert (given.award.origin, given.award.customer) == (ticket.number, ticket.customer)
        event = TicketEvent.objects.get(ticket=ticket)
        assert (event.kind, event.by, event.data["amount_minor"]) == ("goodwill", nora, 2500)

    def test_above_a_limit_finance_decides(self):
        limit()
        ticket, nora = TicketFactory.create(), agent()
        given = give(ticket, by=nora, wish=credit(2501))
        assert (given.award.state, given.batch.state) == ("proposed", "submitted")
        assert given.batch.submitted_by == nora
        approve(given.batch)
        given.award.refresh_from_db()
        assert given.award.state == "approved"

    def test_without_limits_everything_goes_to_finance(self):
        assert give(TicketFactory.create(), by=agent(), wish=credit(1)).batch is not None

    def test_days_have_limits_of_their_own(self):
        limit(benefit="trial", per_ticket=7, per_day=30, per_customer=30)
        limit(benefit="priority", per_ticket=30, per_day=90, per_customer=90)
        subscription = SubscriptionFactory.create()
        ticket, nora = TicketFactory.create(customer=subscription.customer), agent()
        given = [
            give(ticket, by=nora, wish=days("trial", 7, "1", subscription=subscription)),
            give(ticket, by=nora, wish=days("trial", 1, "2", subscription=subscription)),
            give(ticket, by=nora, wish=days("priority", 30, "3")),
            give(ticket, by=nora, wish=days("priority", 1, "4")),
        ]
        assert [each.batch is None for each in given] == [True, False, True, False]

    def test_a_second_click_gives_nothing(self):
        limit()
        ticket, nora = TicketFactory.create(), agent()
        assert give(ticket, by=nora, wish=credit()) == give(ticket, by=nora, wish=credit())
        assert Award.objects.count() == 1
        with pytest.raises(MoveError):
            give(TicketFactory.create(), by=nora, wish=credit())

    def test_nobody_gives_in_another_queue_or_without_the_permission(self):
        ticket = TicketFactory.create(queue=QueueFactory())
        ticket.queue.members.add(agent())
        for person in (agent(), staff(Role.FINANCE), staff(Role.AUDITOR), None):
            with pytest.raises(PermissionDenied):
                give(ticket, by=person, wish=credit())

    def test_an_unknown_customer_gets_nothing(self):
        ticket = TicketFactory.create(customer=None, requester_address="a@example.com")
        with pytest.raises(ValidationError, match="which customer"):
            give(ticket, by=agent(), wish=credit())

    def test_more_than_the_incident_gives_needs_a_word(self):
        limit()
        batch = priced_batch()
        customer = batch.awards.get().customer
        ticket = TicketFactory.create(customer=customer, incident=batch.incident)
        with pytest.raises(ValidationError) as caught:
            give(ticket, by=agent(), wish=credit())
        assert list(caught.value.message_dict) == ["despite"]
        assert not Goodwill.objects.exists()
        given = give(ticket, by=agent(), wish=credit(despite="A lost day."))
        assert (given.despite, given.award.incident) == ("A lost day.", batch.incident)


class TestLimits:
    pytestmark = pytest.mark.django_db

    def test_ones_own_limit_goes_first_and_roles_add_nothing_up(self):
        limit(per_ticket=1000, per_day=9000)
        limit(per_ticket=500, per_day=9999, role=Role.SUPPORT_LEAD)
        both = staff(Role.SUPPORT_AGENT, Role.SUPPORT_LEAD)
        left = limits_left(TicketFactory.create(), both)[CREDIT]
        assert (left.ticket.limit, left.day.limit) == (1000, 9999)
        limit(per_ticket=1, user=both)
        assert limits_left(TicketFactory.create(), both)[CREDIT].left == 1
        assert CREDIT not in limits_left(TicketFactory.create(), staff(Role.FINANCE))

    def test_each_counts_its_own(self):
        limit(per_ticket=3000, per_day=5000, per_customer=8000)
        nora, omar = agent(), agent()
        one = TicketFactory.create()
        other = TicketFactory.create(customer=one.customer)
        give(one, by=nora, wish=credit(2000, "1"))
        give(other, by=omar, wish=credit(1000, "2"))
        give(other, by=omar, wish=credit(2500, "3"))  # above: waits for finance
        left = limits_left(one, nora)[CREDIT]
        assert (left.ticket.used, left.day.used, left.customer.used) == (2000, 2000, 5500)
        left = limits_left(other, omar)[CREDIT]
        assert (left.ticket.used, left.day.used, left.customer.used) == (3500, 1000, 5500)
        assert left.exceeded(1) == ("per ticket", left.ticket)

    def test_what_finance_rejected_frees_the_limit(self):
        limit()
        ticket, nora = TicketFactory.create(), agent()
        given = give(ticket, by=nora, wish=credit(2501))
        assert limits_left(ticket, nora)[CREDIT].left == 0
        reject_batch(given.batch, by=staff(Role.FINANCE_APPROVER), reason="Too much.")
        assert limits_left(ticket, nora)[CREDIT].left == 2500

    def test_days_and_years_pass(self):
        limit(per_ticket=9000, per_day=2000, per_customer=4000)
        nora, customer = agent(), CustomerFactory.create()
        start = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
        with time_machine.travel(start, tick=False) as clock:
            give(TicketFactory.create(customer=customer), by=nora, wish=credit(2000, "1"))
            ticket = TicketFactory.create(customer=customer)
            assert limits_left(ticket, nora)[CREDIT].left == 0
            clock.shift(timedelta(minutes=1))
            assert limits_left(ticket, nora)[CREDIT].left == 2000
            clock.move_to(start + timedelta(days=365) - timedelta(seconds=1))
            assert limits_left(ticket, nora)[CREDIT].customer.used == 2000
            clock.shift(timedelta(seconds=1))
            assert limits_left(ticket, nora)[CREDIT].customer.used == 0

    def test_merged_tickets_share_a_limit(self):
        limit()
        nora = agent()
        first = TicketFactory.create()
        second = TicketFactory.create(customer=first.customer)
        give(first, by=nora, wish=credit(2000))
        merge_ticket(first, into=second, by=nora)
        assert limits_left(second, nora)[CREDIT].ticket.used == 2000

    def test_queries_stay_the_same(self):
        limit()
        ticket, nora = TicketFactory.create(), agent()

        def cost():
            with CaptureQueriesContext(
                connection,
            ) as queries:
                page_part(ticket, nora)
            return len(queries)

        give(ticket, by=nora, wish=credit(100, "1"))
        page_part(ticket, nora)
        one = cost()
        give(ticket, by=nora, wish=credit(100, "2"))
        give(ticket, by=nora, wish=credit(9900, "3"))
        assert cost() == one


class TestPreview:
    pytestmark = pytest.mark.django_db

    def test_says_what_giving_would_do(self):
        limit()
        ticket, nora = TicketFactory.create(customer__name="Acme GmbH"), agent()
        said = preview(ticket, by=nora, wish=credit(reason=""))
        assert said.sentence == "EUR 20.00 credit for Acme GmbH, issued at once."
        said = preview(ticket, by=nora, wish=credit(4000))
        assert said.goes_to_finance
        assert said.sentence == (
            "EUR 40.00 credit for Acme GmbH, goes to finance: above your limit of EUR 25.00 "
            "per ticket."
        )
        give(ticket, by=nora, wish=credit())
        said = preview(ticket, by=nora, wish=credit(1000, "2"))
        assert said.sentence.endswith("EUR 25.00 per ticket, of which EUR 20.00 are used.")
        assert Award.objects.count() == 1

    def test_without_a_limit_it_says_so(self):
        said = preview(TicketFactory.create(), by=agent(), wish=credit())
        assert said.sentence.endswith("goes to finance: you have no limit of your own for it.")

    def test_says_why_not(self):
        ticket = TicketFactory.create(customer__stripe_customer_id=None)
        assert preview(ticket, by=agent(), wish=credit()).problems == (
            "The customer is not known at Stripe: no credit.",
        )


class TestPagePart:
    pytestmark = pytest.mark.django_db

    def test_shows_what_was_given_and_where_it_stands(self):
        limit()
        batch = priced_batch()
        customer = batch.awards.get().customer
        ticket = TicketFactory.create(customer=customer, incident=batch.incident)
        nora = agent()
        give(ticket, by=nora, wish=credit(2000, "1", despite="A lost day."))
        asked = give(ticket, by=nora, wish=credit(4000, "2", despite="A lost day.")).batch
        part = page_part(ticket, nora)
        assert [(line["what"], line["state"]) for line in part["given"]] == [
            ("EUR 20.00 credit", "approved, on its way"),
            ("EUR 40.00 credit", f"waits for finance in batch {asked.number}"),
        ]
        assert [what for _award, what, _state in part["incident_gives"]] == [
            "EUR 49.90 credit",
            "EUR 20.00 credit",
            "EUR 40.00 credit",
        ]
        assert part["currencies"] == ["EUR"]
        reject_batch(asked, by=staff(Role.FINANCE_APPROVER), reason="Too much.")
        line = page_part(ticket, nora)["given"][1]
        assert line["state"] == f"rejected by finance in batch {asked.number}"
        assert line["why_not"] == "Too much."

    def test_who_may_not_give_only_looks(self):
        part = page_part(TicketFactory.create(), staff(Role.AUDITOR))
        assert not part["may_give"]
        assert "limits" not in part
        assert not page_part(TicketFactory.create(customer=None), agent())["may_give"]


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_agents_never_exceed_a_limit_together(self):
        limit(per_ticket=2500)
        ticket = TicketFactory.create()
        people = [agent() for _ in range(4)]
        done = at_once(
            *[lambda n=n: give(ticket, by=people[n], wish=credit(1000, str(n))) for n in range(4)]
        )
        assert sum(each.batch is None for each in done) == 2
        assert Batch.objects.filter(state="submitted").count() == 2

    def test_one_agent_in_two_windows_never_exceeds_the_day(self):
        limit(per_day=1500)
        nora = agent()
        tickets = TicketFactory.create_batch(2)
        done = at_once(
            *[lambda n=n: give(tickets[n], by=nora, wish=credit(1000, str(n))) for n in range(2)]
        )
        assert sorted(each.batch is None for each in done) == [False, True]

    def test_two_clicks_give_once(self):
        limit()
        ticket, nora = TicketFactory.create(incident=IncidentFactory()), agent()
        done = at_once(*[lambda: give(ticket, by=nora, wish=credit())] * 4)
        assert len({each.pk for each in done}) == 1
        assert (Goodwill.objects.count(), Award.objects.count()) == (1, 1)
