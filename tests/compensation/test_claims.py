"""Claims: held against outages, use and awards, and answered."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.approval import approve_batch
from compensation.batches import create_batch, price_batch, submit_batch
from compensation.claims import answer_to, ask_person, settle_claim
from compensation.claims.filing import MOST_A_DAY, ClaimedBeforeError
from compensation.drafts import draft_default_batch, undrafted
from compensation.models import Award, Batch, Claim
from compensation.models.award import AwardState, Exclusion
from compensation.models.claim import ClaimState, Outcome
from incidents.cohorts import resolve
from incidents.models import Exposure, Incident
from support.models import Ticket
from tests.accounts.factories import staff
from tests.compensation.claiming import BEGAN, ENDED, NOW, claim, missed, outage, promise, user_of
from tests.compensation.factories import AwardFactory, PolicyVersionFactory, RuleFactory, activate
from tests.customers.factories import ComponentFactory, CustomerFactory, SubscriptionFactory
from tests.incidents.factories import IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db
TENTH = [{"benefit": "credit", "amount_minor": 4990, "currency": "EUR", "days": 0}]


@pytest.fixture(autouse=True)
def later():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def nobody_woken(monkeypatch):
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)


@pytest.fixture
def finance():
    return staff(Role.FINANCE)


@pytest.fixture
def approver():
    return staff(Role.FINANCE_APPROVER)


@pytest.fixture
def terms():
    return promise()


def test_claim_of_a_booked_award_is_answered_with_its_sum(terms):
    found = outage()
    subscription = user_of(found.component)
    batch = create_batch(found.incident, terms)
    AwardFactory(batch=batch, subscription=subscription, state=AwardState.ISSUED)
    said = claim(subscription)
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.AWARDED)
    assert said.decision["benefits"] == TENTH
    assert said.incident == found.incident
    assert "EUR 49.90" in answer_to(said)[1]
    assert not Ticket.objects.exists()


def test_claim_of_who_was_missed_is_proposed_once_and_approved_by_nobody(terms):
    found = outage()
    subscription = missed(found)
    said = claim(subscription)
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.PROPOSED)
    assert said.decision["benefits"] == TENTH
    award = Award.objects.get()
    assert (award.state, award.amount_minor, award.batch) == ("proposed", 4990, said.batch)
    assert (said.batch.kind, said.batch.state) == (Batch.Kind.CLAIMS, Batch.State.PRICED)
    exposure = Exposure.objects.get()
    assert (exposure.cohort.name, exposure.major_seconds) == ("Claims", 3600)
    assert exposure.profile.components == [found.component_id]


def test_exposure_of_a_claim_survives_resolving_again(terms):
    found = outage()
    subscription = missed(found)
    claim(subscription)
    counts = resolve(found.incident).counts
    assert Exposure.objects.get().subscription == subscription
    assert sum(counts.values()) == 1


def test_second_claim_joins_the_open_batch_and_later_ones_a_new_one(terms):
    found = outage()
    one, two = missed(found), user_of(found.component)
    first, second = claim(one), claim(two)
    assert first.batch == second.batch
    assert first.batch.awards.count() == 2
    submit_batch(first.batch, by=None, key="Host")
    third = claim(user_of(found.component))
    assert third.batch != first.batch
    assert [award.subscription for award in third.batch.awards.all()] == [third.subscription]


def test_claims_batch_goes_through_approval_like_any_other(terms, approver):
    found = outage()
    said = claim(missed(found))
    batch = submit_batch(said.batch, by=None, key="Host")
    approve_batch(batch, by=approver, digest=batch.digest)
    assert Award.objects.get().state == AwardState.APPROVED
    assert "EUR 49.90" in answer_to(said)[1]
    assert answer_to(said)[0].startswith("We know of it")


def test_batch_for_everybody_priced_later_leaves_the_claimed_out(terms):
    found = outage()
    said = claim(missed(found))
    submit_batch(said.batch, by=None, key="Host")
    batch = price_batch(create_batch(found.incident, terms))
    assert [award.exclusion for award in batch.awards.all()] == [Exclusion.ALREADY_AWARDED]


def test_claims_batch_keeps_the_default_draft_from_nothing(terms):
    found = outage(began=NOW - timedelta(hours=8))
    Incident.objects.filter(pk=found.incident.pk).update(resolved_at=NOW - timedelta(hours=7))
    said = claim(missed(found), starts_at=found.starts_at, ends_at=found.ends_at)
    assert said.batch is not None
    Incident.objects.filter(pk=found.incident.pk).update(resolved_at=NOW - timedelta(hours=1))
    assert list(undrafted()) == [found.incident]
    draft = draft_default_batch(found.incident)
    assert draft.kind == Batch.Kind.INCIDENT


def test_batch_of_claims_holds_only_what_was_claimed(terms):
    found = outage()
    subscription = missed(found)
    other = user_of(found.component, customer=subscription.customer)
    stranger = user_of(found.component)
    found.incident.cohorts.update(condition="")
    resolve(found.incident)
    assert set(Exposure.objects.values_list("subscription", flat=True)) == {
        subscription.pk, other.pk, stranger.pk,
    }  # fmt: skip
    said = claim(subscription)
    assert [award.subscription for award in said.batch.awards.all()] == [subscription]


def test_claim_under_a_version_retired_since_is_priced_by_it(terms):
    found = outage()
    subscription = missed(found)
    newer = PolicyVersionFactory(policy=terms.policy, number=2, claim_days=30)
    RuleFactory(version=newer, position=1, credit_value=Decimal(50))
    terms.state = "retired"
    terms.retired_at = NOW
    terms.save()
    activate(newer)
    batch = create_batch(found.incident, newer)
    Batch.objects.filter(pk=batch.pk).update(version=terms, state=Batch.State.ISSUED)
    said = claim(subscription)
    assert (said.version, said.outcome) == (terms, Outcome.PROPOSED)
    assert said.decision["benefits"] == TENTH
    assert submit_batch(said.batch, by=None, key="Host").state == Batch.State.SUBMITTED


def test_claim_of_a_running_incident_is_counted(terms):
    found = outage(resolved=False, began=NOW - timedelta(hours=2))
    subscription = missed(found)
    said = claim(subscription, starts_at=NOW - timedelta(hours=2), ends_at=None)
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.COUNTED)
    assert said.goes_on
    assert said.decision["benefits"] == TENTH
    assert not Batch.objects.exists()
    assert len(answer_to(said)) == 3


def test_claim_of_an_outage_over_a_moment_ago_waits_for_the_draft(terms):
    found = outage(began=NOW - timedelta(hours=2))
    said = claim(missed(found), starts_at=found.starts_at, ends_at=found.ends_at)
    assert said.outcome == Outcome.COUNTED
    draft_default_batch(found.incident)
    assert "EUR 49.90" in answer_to(said)[1]


@pytest.mark.parametrize(
    ("given", "minutes", "told"),
    [
        (
            {},
            30,
            (
                "It lasted 30 min of the 44,640 minutes from 1\xa0October to 31\xa0October: "
                "99.932 % uptime. Our terms give something below 99.9 %."
            ),
        ),
        (
            {"shortest_minutes": Decimal(30), "is_shortest_exclusive": True},
            30,
            "It lasted 30 min. Our terms count what lasts longer than 30 min.",
        ),
        (
            {"shortest_minutes": Decimal(31)},
            30,
            "It lasted 30 min. Our terms count what lasts 31 min or longer.",
        ),
        (
            {"row": {"minutes_from": Decimal("30.5")}},
            30,
            "It lasted 30 min. Our terms give something from 30 min 30 s on.",
        ),
    ],
)
def test_claim_of_too_little_shows_why_nothing_is_due(given, minutes, told):
    promise(**given)
    found = outage(minutes=minutes)
    said = claim(missed(found))
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.NOTHING_DUE)
    assert answer_to(said)[1] == told
    assert not Award.objects.exists()


def test_claim_of_announced_maintenance(terms):
    found = outage()
    Incident.objects.filter(pk=found.incident.pk).update(kind=Incident.Kind.MAINTENANCE)
    said = claim(user_of(found.component))
    assert (said.outcome, said.decision["why"]) == (Outcome.NOTHING_DUE, "maintenance")


def test_claim_of_a_partial_outage_that_does_not_count():
    promise(partial_weight=0)
    found = outage(impact="partial")
    said = claim(missed(found))
    assert (said.outcome, said.decision["why"]) == (Outcome.NOTHING_DUE, "partial")


def _without_outage(terms):
    return claim(user_of(ComponentFactory())), "no_outage"


def _of_another_component(terms):
    found = outage()
    subscription = user_of(found.component)
    return claim(subscription, component=ComponentFactory()), "other_component"


def _much_longer(terms):
    found = outage(minutes=30)
    return claim(user_of(found.component), ends_at=BEGAN + timedelta(hours=3)), "longer"


def _left_out_by_hand(terms):
    found = outage()
    subscription = user_of(found.component)
    AwardFactory(
        batch=create_batch(found.incident, terms), subscription=subscription,
        state=AwardState.EXCLUDED, exclusion=Exclusion.BY_HAND,
    )  # fmt: skip
    return claim(subscription), "by_hand"


def _held_out(terms):
    found = outage()
    subscription = user_of(found.component)
    AwardFactory(
        batch=create_batch(found.incident, terms), subscription=subscription,
        state=AwardState.EXCLUDED, exclusion=Exclusion.HELD_OUT,
    )  # fmt: skip
    return claim(subscription), "held_out"


def _without_subscription(terms):
    return claim(None, customer=CustomerFactory()), "no_subscription"


def _of_no_row(terms):
    found = outage()
    found.incident.batches.create(
        number="2026-900", version=promise(policy__is_default=False, row={"plans": ["Gold"]}),
        state=Batch.State.ISSUED,
    )  # fmt: skip
    return claim(missed(found)), "unexplained"


def _without_stripe(terms):
    found = outage()
    return claim(missed(found, customer__stripe_customer_id=None)), "no_stripe_customer"


@pytest.mark.parametrize(
    "story",
    [
        _without_outage, _of_another_component, _much_longer, _left_out_by_hand, _held_out,
        _without_subscription, _of_no_row, _without_stripe,
    ],
)  # fmt: skip
def test_claim_that_the_data_do_not_decide_becomes_a_ticket(terms, story):
    said, why = story(terms)
    assert (said.state, said.outcome) == (ClaimState.WITH_PERSON, Outcome.PERSON)
    assert said.decision["why"] == why
    ticket = Ticket.objects.get()
    assert said.ticket_number == ticket.number
    assert (ticket.customer, ticket.incident) == (said.customer, said.incident)
    assert "claim" in ticket.tags
    assert ticket.messages.order_by("id").first().text == "Nothing worked."
    assert answer_to(said)[1] == f"Your request has the number {ticket.number}."


def test_claims_of_two_incidents_at_once_are_for_a_person(terms):
    found = outage()
    OutageFactory(
        component=found.component, incident=IncidentFactory(), starts_at=BEGAN, ends_at=ENDED
    )
    said = claim(user_of(found.component))
    assert said.decision["why"] == "several"
    assert len(said.decision["incidents"]) == 2


def test_outage_elsewhere_is_not_theirs(terms):
    found = outage(region="us-east")
    assert claim(user_of(found.component, region="eu-west")).decision["why"] == "no_outage"


def test_claim_after_the_window_is_told_so():
    promise(claim_days=5)
    found = outage()
    said = claim(missed(found))
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.LATE)
    assert answer_to(said)[0] == (
        "Our terms take claims up to 5 days after it ended: until 19\xa0October."
    )
    assert not Exposure.objects.exists()
    assert claim(user_of(ComponentFactory())).outcome == Outcome.LATE


def test_claim_window_counts_to_its_last_second():
    promise(claim_days=30)
    found = outage()
    subscription = missed(found)
    with time_machine.travel(ENDED + timedelta(days=30), tick=False):
        assert claim(subscription).outcome == Outcome.PROPOSED
    other = user_of(found.component)
    with time_machine.travel(ENDED + timedelta(days=30, seconds=1), tick=False):
        assert claim(other).outcome == Outcome.LATE


def test_claim_where_none_are_taken_says_so_kindly():
    promise(claim_days=None)
    found = outage()
    said = claim(missed(found))
    assert (said.state, said.outcome) == (ClaimState.ANSWERED, Outcome.NOT_OPEN)
    assert answer_to(said)[0].startswith("Here nobody needs to claim")


def test_claim_is_filed_once(terms):
    found = outage()
    subscription = missed(found)
    first = claim(subscription, key="same")
    assert claim(subscription, key="same") == first
    with pytest.raises(ClaimedBeforeError) as refused:
        claim(subscription, starts_at=ENDED - timedelta(minutes=1), ends_at=NOW)
    assert refused.value.claim == first
    with pytest.raises(ClaimedBeforeError):
        claim(subscription, component=found.component)
    claim(subscription, starts_at=ENDED, ends_at=ENDED + timedelta(minutes=5))
    assert Award.objects.count() == 1


def test_claims_are_limited_a_day(terms):
    subscription = SubscriptionFactory()
    for n in range(MOST_A_DAY):
        began = BEGAN + timedelta(hours=n)
        claim(subscription, starts_at=began, ends_at=began + timedelta(minutes=5))
    with pytest.raises(ValidationError, match="please write to us"):
        claim(subscription, starts_at=NOW - timedelta(hours=1), ends_at=NOW)
    with time_machine.travel(NOW + timedelta(days=1, seconds=1)):
        assert claim(subscription, starts_at=NOW, ends_at=NOW + timedelta(hours=1)).pk


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"starts_at": NOW + timedelta(minutes=1), "ends_at": None}, "starts_at"),
        ({"starts_at": NOW - timedelta(days=4 * 366)}, "starts_at"),
        ({"ends_at": NOW + timedelta(hours=1)}, "ends_at"),
        ({"ends_at": BEGAN}, "ends_at"),
        ({"starts_at": NOW - timedelta(days=32), "ends_at": None}, "ends_at"),
        ({"text": "x" * 5001}, "text"),
    ],
)
def test_claim_of_nonsense_is_refused(terms, given, field):
    with pytest.raises(ValidationError) as refused:
        claim(SubscriptionFactory(), **given)
    assert list(refused.value.message_dict) == [field]
    assert not Claim.objects.exists()


def test_claim_for_the_subscription_of_another_is_refused(terms):
    with pytest.raises(ValidationError) as refused:
        claim(SubscriptionFactory(), customer=CustomerFactory())
    assert list(refused.value.message_dict) == ["subscription"]


def test_customer_who_disagrees_gets_a_person_once(terms):
    found = outage(minutes=30)
    said = claim(missed(found))
    ask_person(said)
    ask_person(said)
    assert (said.state, said.outcome) == (ClaimState.WITH_PERSON, Outcome.NOTHING_DUE)
    ticket = Ticket.objects.get()
    assert said.ticket_number == ticket.number
    note = ticket.messages.filter(kind="internal").get()
    assert "They do not agree" in note.text


def test_settling_takes_a_person_who_may_and_a_reason(terms, finance, approver):
    said = claim(user_of(ComponentFactory()))
    with pytest.raises(PermissionDenied):
        settle_claim(said, by=approver, is_accepted=True, note="Seen.")
    with pytest.raises(ValidationError):
        settle_claim(said, by=finance, is_accepted=True, note=" ")
    settle_claim(said, by=finance, is_accepted=False, note="No failure in the logs.")
    assert (said.state, said.outcome, said.decided_by) == ("settled", "declined", finance)
    with pytest.raises(MoveError):
        settle_claim(said, by=finance, is_accepted=True, note="Seen.")


def test_broken_condition_of_the_policy_loses_no_claim(terms):
    found = outage()
    broken = promise(policy__is_default=False, row={"condition": 'plam = "Business"'})
    found.incident.batches.create(number="2026-901", version=broken, state=Batch.State.ISSUED)
    said = claim(missed(found))
    assert (said.state, said.decision["why"]) == (ClaimState.WITH_PERSON, "broken_terms")
    assert Ticket.objects.count() == 1


def test_history_of_a_claim_keeps_no_words_of_its_customer(terms):
    said = claim(user_of(ComponentFactory()))
    events = said.events.all()
    assert {event.state for event in events} == {"received", "with_person"}
    assert not any(hasattr(event, "text") for event in events)
