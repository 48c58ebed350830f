"""What macros say, what they refuse to say, and what they do."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from compensation.approval import reject_batch
from compensation.batches import submit_batch
from compensation.models import Award
from support.macros import (
    VARIABLES,
    apply_macro,
    check_texts,
    offered_macros,
    render_macro,
    render_text,
)
from support.macros.texts import pieces_of, problems_of
from support.models import Macro, Message, TicketEvent
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.stories import approve, priced_batch, submitted_batch
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import ExposureFactory, IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory, agent, opened
from tests.support.test_goodwill import asleep, credit, limit

__all__ = ["asleep"]


def macro(text="Hello {{ customer.name }}.", **fields):
    fields = {"name": "Hello", "texts": {"en": text} if text else {}} | fields
    return Macro.objects.create(**fields)


def said(text, ticket, by=None, language="en", kind="public"):
    return render_text(text, ticket, by, language, kind=kind)


def refused(text, ticket, by=None, **more):
    with pytest.raises(ValidationError) as caught:
        said(text, ticket, by, **more)
    return caught.value.message_dict["text"]


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("Hi\nto {{ customer.fristname }}",
             ("line 2, column 4: there is no “customer.fristname”. "
             "Did you mean “customer.first_name”?")),
            ("{{ customer }}",
             "line 1, column 1: “{{ customer }}” is no variable: write {{ customer.name }}."),
            ("a {{ customer.name",
             "line 1, column 3: “{{” stands alone: a variable is {{ customer.name }}."),
            ("a }} b", "line 1, column 3: “}}” stands alone: a variable is {{ customer.name }}."),
            ("{% if x %}",
             "line 1, column 1: “{%” stands alone: a variable is {{ customer.name }}."),
            ("{{ customer.name|upper }}",
             ("line 1, column 1: “{{ customer.name|upper }}” is no variable: write "
             "{{ customer.name }}.")),
        ],
    )  # fmt: skip
    def test_mistakes_are_told_with_their_place(self, text, problem):
        assert problems_of(text, VARIABLES)[0] == problem

    def test_every_language_is_checked(self):
        with pytest.raises(ValidationError) as caught:
            check_texts({"en": "ok", "de": "{{ x.y }}", "fr": "non"}, known=VARIABLES)
        first, second = caught.value.messages
        assert first.startswith("German, line 1, column 1: there is no “x.y”.")
        assert second == "“fr” is no language of ours."
        with pytest.raises(ValidationError):
            check_texts([], known=VARIABLES)

    def test_what_is_right_passes(self):
        text = 'Dear {{ customer.first_name | default: "customer" }}, {{credit.amount}} {x} %'
        check_texts({"en": text, "ru": ""}, known=VARIABLES)

    @given(st.text(alphabet='{}% ab._|:"\n“”'))
    def test_no_text_is_lost(self, text):
        kept = "".join(piece.text for piece in pieces_of(text))
        names = sum(1 for piece in pieces_of(text) if piece.name)
        assert names or kept == text
        problems_of(text, VARIABLES)


class TestRender:
    pytestmark = pytest.mark.django_db

    def test_known_things(self):
        ticket = TicketFactory.create(
            subject="No internet", requester_name="Ada Lovelace", incident=IncidentFactory(),
            customer=CustomerFactory(name="Acme GmbH"),
        )  # fmt: skip
        by = staff(full_name="Nora Lang")
        text = (
            "{{ customer.first_name }}|{{ customer.name }}|{{ ticket.number }}|"
            "{{ ticket.subject }}|{{ agent.name }}|{{ agent.first_name }}|{{ incident.title }}|"
            "{{ incident.started }}"
        )
        assert said(text, ticket, by) == (
            f"Ada|Acme GmbH|{ticket.number}|No internet|Nora Lang|Nora|Fibre outage Frankfurt|"
            "14\N{NO-BREAK SPACE}October"
        )
        german = said("{{ incident.started }}", ticket, by, language="de")
        assert german == "14.\N{NO-BREAK SPACE}Oktober"

    def test_values_are_not_read_again(self):
        ticket = TicketFactory.create(subject="{{ customer.reference }}")
        assert said("{{ ticket.subject }}", ticket) == "{{ customer.reference }}"

    def test_a_company_has_no_first_name_but_a_default(self):
        ticket = TicketFactory.create(customer=CustomerFactory(name="Acme GmbH"))
        assert said('Hi {{ customer.first_name | default: "there" }}', ticket) == "Hi there"
        (problem,) = refused("Hi {{ customer.first_name }}", ticket)
        assert problem.startswith("{{ customer.first_name }}: nothing is known")

    def test_a_default_stands_in_for_what_is_unknown_never_for_money(self):
        ticket = TicketFactory.create()
        assert said('{{ incident.title | default: "the outage" }}', ticket) == "the outage"
        assert refused('{{ credit.amount | default: "a credit" }}', ticket) == [
            "{{ credit.amount }}: the ticket is linked to no incident: link it first."
        ]

    def test_language_follows_the_ticket(self):
        made = macro(texts={"en": "Hello", "de": "Hallo", "ru": ""})
        for language, expected in [("de", "Hallo"), ("ru", "Hello"), ("en", "Hello")]:
            rendered = render_macro(made, TicketFactory.create(language=language), None)
            assert rendered.text == expected
            assert rendered.is_other_language == (language == "ru")

    def test_a_public_post_tells_nothing_personal(self):
        ticket = TicketFactory.create(channel="social", incident=IncidentFactory())
        (problem,) = refused("{{ credit.amount }}", ticket)
        assert "everybody can read this post" in problem
        assert said("{{ incident.title }}", ticket) == "Fibre outage Frankfurt"
        assert said("{{ customer.name }}", ticket, kind="private") == ticket.customer.name


def of(batch):
    """A ticket about the batch's incident, by the customer of its first award."""
    award = batch.awards.order_by("id").first()
    return TicketFactory.create(customer=award.customer, incident=batch.incident)


class TestCredit:
    """Nothing is promised that is not approved."""

    pytestmark = pytest.mark.django_db
    TEXT = "You get {{ credit.amount }}."

    def test_only_priced(self):
        batch = priced_batch()
        assert refused(self.TEXT, of(batch)) == [
            (
                "{{ credit.amount }}: Credit of EUR 49.90 is not approved yet: batch "
                f"{batch.number} is not even submitted."
            )
        ]

    def test_waiting_for_finance(self):
        batch = submitted_batch()
        assert refused(self.TEXT, of(batch)) == [
            (
                "{{ credit.amount }}: Credit of EUR 49.90 is not approved yet: "
                f"it waits for finance in batch {batch.number}."
            )
        ]

    def test_approved(self):
        batch = approve(priced_batch())
        assert said(self.TEXT, of(batch)) == "You get EUR 49.90."
        assert said("{{ credit.amount }}", of(batch), language="de") == "49,90 EUR"

    def test_booked_on_waits_for_the_booking(self):
        batch = approve(priced_batch())
        (problem,) = refused("{{ credit.booked_on }}", of(batch))
        assert problem.endswith("Credit of EUR 49.90 is approved but not booked yet.")
        batch.awards.update(state="issued", issued_at=timezone.now())
        assert said("{{ credit.booked_on }}", of(batch))

    @pytest.mark.parametrize("state", ["approved", "sending", "unknown", "issued"])
    def test_what_binds_us_may_be_said(self, state):
        batch = approve(priced_batch())
        sent = {"idempotency_key": "k", "parameters_hash": "h", "first_sent_at": timezone.now()}
        batch.awards.update(state=state, **sent)
        assert said(self.TEXT, of(batch)) == "You get EUR 49.90."

    @pytest.mark.parametrize(
        ("state", "problem"),
        [
            ("excluded", "gives Customer"),
            ("reversed", "gives Customer"),
            ("failed", "Credit of EUR 49.90 could not be booked: No such customer"),
        ],
    )
    def test_what_does_not_bind_us_may_not(self, state, problem):
        batch = priced_batch()
        ticket = of(batch)
        batch.awards.update(state=state, error_message="No such customer")
        assert problem in refused(self.TEXT, ticket)[0]

    def test_rejected_batches_and_other_customers_say_nothing(self):
        batch = submitted_batch()
        ticket = of(batch)
        stranger = TicketFactory.create(incident=batch.incident)
        reject_batch(batch, by=staff(Role.FINANCE_APPROVER), reason="Wrong policy.")
        for each in (ticket, stranger):
            assert "nothing of the kind" in refused(self.TEXT, each)[0]

    def test_subscriptions_add_up_and_all_must_be_approved(self):
        batch = priced_batch()
        ticket = of(batch)
        AwardFactory(
            batch=batch, subscription__customer=ticket.customer, amount_minor=10, currency="EUR"
        )
        submit_batch(batch, by=staff(Role.FINANCE))
        refused(self.TEXT, ticket)
        approve(batch)
        assert said(self.TEXT, ticket) == "You get EUR 50.00."
        other = BatchFactory(incident=batch.incident)
        AwardFactory(batch=other, subscription__customer=ticket.customer)
        refused(self.TEXT, ticket)

    def test_a_draft_beside_an_approved_batch_takes_nothing_back(self):
        batch = approve(priced_batch())
        ticket = of(batch)
        AwardFactory(
            batch=BatchFactory(incident=batch.incident),
            subscription=batch.awards.get().subscription,
        )
        assert said(self.TEXT, ticket) == "You get EUR 49.90."

    def test_goodwill_of_the_ticket(self):
        from support.goodwill import give

        limit()
        ticket, nora = TicketFactory.create(), agent()
        text = "{{ goodwill.amount }}: {{ goodwill.reason }}"
        assert "no such goodwill" in refused(text, ticket)[0]
        give(ticket, by=nora, wish=credit())
        assert said(text, ticket, nora) == "EUR 20.00: Sorry for the wait."
        asked = give(ticket, by=nora, wish=credit(9000, "2"))
        assert f"in batch {asked.batch.number}" in refused(text, ticket, nora)[0]

    def test_days(self):
        batch = priced_batch(awards=0)
        subscription = SubscriptionFactory.create()
        AwardFactory(batch=batch, subscription=subscription, benefit="priority", amount_minor=0,
                     days=30, currency="")  # fmt: skip
        ticket = TicketFactory.create(customer=subscription.customer, incident=batch.incident)
        (problem,) = refused("{{ priority.days }}", ticket)
        assert "Priority support of 30 days is not approved yet" in problem
        approve(batch)
        assert said("{{ priority.days }}", ticket) == "30"

    def test_all_refusals_come_at_once(self):
        ticket = of(priced_batch())
        assert len(refused("{{ credit.amount }} {{ trial.days }} {{ agent.name }}", ticket)) == 3


class TestApply:
    pytestmark = pytest.mark.django_db

    def test_answers_and_acts(self):
        ticket, nora = opened(), agent()
        made = macro(
            actions=[
                {"do": "add_tags", "tags": ["outage"]},
                {"do": "set_status", "status": "solved"},
                {"do": "assign", "to": "me"},
            ]
        )
        message = apply_macro(made, ticket, by=nora)
        ticket.refresh_from_db()
        assert message.text == f"Hello {ticket.customer.name}."
        assert (message.kind, message.direction, message.author) == ("public", "out", nora)
        assert (ticket.status, ticket.tags, ticket.assignee) == ("solved", ["outage"], nora)
        event = TicketEvent.objects.get(ticket=ticket, kind="macro")
        assert (event.by, event.data["name"]) == (nora, "Hello")

    def test_all_or_nothing(self):
        ticket, nora = opened(), agent()
        made = macro(actions=[{"do": "set_queue", "queue": "gone"}])
        with pytest.raises(ValidationError, match="Action 1"):
            apply_macro(made, ticket, by=nora)
        assert Message.objects.filter(ticket=ticket, direction="out").count() == 0
        refusing = macro("{{ credit.amount }}", name="Credit", actions=[
            {"do": "add_tags", "tags": ["x"]}
        ])  # fmt: skip
        with pytest.raises(ValidationError, match="linked to no incident"):
            apply_macro(refusing, ticket, by=nora)
        ticket.refresh_from_db()
        assert ticket.tags == []

    def test_an_agents_own_words_go_instead(self):
        ticket, nora = opened(), agent()
        made = macro("{{ credit.amount }}", actions=[{"do": "add_tags", "tags": ["x"]}])
        assert (
            apply_macro(made, ticket, by=nora, text="We look into it.").text == "We look into it."
        )
        assert apply_macro(made, ticket, by=nora, text="") is None

    def test_notes_stay_inside(self):
        made = macro("Look at {{ ticket.number }}", kind="internal")
        message = apply_macro(made, opened(), by=agent())
        assert (message.kind, message.direction) == ("internal", "inside")

    def test_who_may_not_answer_applies_nothing(self):
        made, ticket = macro(), opened()
        with pytest.raises(PermissionDenied):
            apply_macro(made, ticket, by=staff(Role.AUDITOR))
        made.is_active = False
        with pytest.raises(ValidationError, match="switched off"):
            apply_macro(made, ticket, by=agent())


class TestOffered:
    pytestmark = pytest.mark.django_db

    def test_by_queue_and_condition(self):
        ticket = TicketFactory.create(language="de", tags=["outage"])
        other = QueueFactory.create()
        every = macro(name="Every")
        fits = macro(name="Fits", condition='language = "de"')
        macro(name="Not", condition='language = "en"')
        macro(name="Gone", condition='nonsense = "x"')
        macro(name="Off", is_active=False)
        macro(name="Elsewhere").queues.add(other)
        here = macro(name="Here")
        here.queues.add(ticket.queue, other)
        assert offered_macros(ticket) == [every, fits, here]

    def test_costs_the_same_for_one_and_many(self):
        ticket = TicketFactory.create()

        def cost():
            with CaptureQueriesContext(connection) as queries:
                offered_macros(ticket)
            return len(queries)

        macro(name="0", condition='language = "de"')
        one = cost()
        for n in range(1, 4):
            macro(name=str(n), condition=f"messages = {n}" if n > 9 else 'language = "en"')
        assert cost() == one


def test_every_award_state_is_either_binding_or_refused():
    """A new state must be thought about here, too."""
    assert set(Award.State.values) == {
        "proposed", "excluded", "approved", "sending", "issued", "failed", "unknown", "reversed",
    }  # fmt: skip


@pytest.mark.django_db
def test_exposed_minutes():
    exposure = ExposureFactory.create()
    ticket = TicketFactory.create(customer=exposure.customer, incident=exposure.incident)
    assert said("{{ incident.minutes }}", ticket) == "60"
