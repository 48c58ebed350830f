"""A person decides what nobody could prove; Stripe is asked first, and may contradict."""

from datetime import timedelta

import pghistory.core
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.issuing import (
    adopt_award,
    give_up_award,
    issue,
    look_at_stripe,
    resend_award,
    retry_award,
    retry_failed,
)
from compensation.issuing.claiming import claim
from compensation.issuing.control import start_batches
from compensation.issuing.writing import Troubled, write_unknown
from compensation.ledger import NewEntry, balance, record_entries, verify_chain
from compensation.models import Award
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import approve, priced_batch, seed_sandbox

pytestmark = pytest.mark.django_db

VERBS = {
    "adopt": lambda award, by, stripe_id="cbtxn_1": adopt_award(
        award, by=by, stripe_id=stripe_id, reason="Seen."
    ),
    "resend": lambda award, by, *_: resend_award(award, by=by, reason="Not there."),
    "give up": lambda award, by, *_: give_up_award(award, by=by, reason="Customer left."),
}
EACH = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr("compensation.issuing.deciding.wake_issuing", lambda: None)
    monkeypatch.setattr("compensation.issuing.retrying.wake_issuing", lambda: None)


@pytest.fixture
def person():
    return staff(Role.FINANCE_APPROVER)


@pytest.fixture
def award(batch):
    """Sent with four others a day ago, and nobody knows what came of it."""
    return unknown(batch)


@pytest.fixture
def trial(issuing):
    batch = priced_batch(awards=0)
    target = (timezone.now() + timedelta(days=7)).replace(microsecond=0)
    AwardFactory(
        batch=batch, benefit="trial", amount_minor=0, currency="", days=7, trial_end_target=target
    )
    seed_sandbox(issuing, batch)
    return unknown(approve(batch))


def unknown(batch):
    start_batches()
    (order,) = claim(batch.pk, limit=1)
    write_unknown([Troubled(order.award, order.key, "unprovable", "Nobody knows.")])
    return Award.objects.get(pk=order.award)


def book(sandbox, award, *, amount=-4990, of=None, **more):
    metadata = {"award": str(of if of is not None else award.pk)} if of != "nobody" else {}
    return (
        sandbox.client()
        .v1.customers.balance_transactions.create(
            award.destination,
            {"amount": amount, "currency": "eur", "metadata": metadata, **more},
        )
        .id
    )


def last_event(award):
    (kept,) = pghistory.core.event_models(tracks_model=Award)
    return kept.objects.filter(pgh_obj=award).order_by("-pgh_id").first()


@EACH
def test_deciding_takes_its_permission(award, verb):
    for by in (staff(Role.FINANCE), staff(Role.AUDITOR), staff(Role.ADMINISTRATOR), None):
        with pytest.raises(PermissionDenied):
            verb(award, by)
    award.refresh_from_db()
    assert award.state == "unknown"


@pytest.mark.parametrize("reason", ["", "  "])
def test_deciding_takes_a_reason(award, person, reason):
    for verb in (
        lambda: adopt_award(award, by=person, stripe_id="cbtxn_1", reason=reason),
        lambda: resend_award(award, by=person, reason=reason),
        lambda: give_up_award(award, by=person, reason=reason),
    ):
        with pytest.raises(ValidationError) as refused:
            verb()
        assert set(refused.value.message_dict) == {"reason"}


@EACH
def test_only_an_unknown_outcome_is_decided(batch, person, verb):
    with pytest.raises(MoveError, match="only an unknown outcome"):
        verb(batch.awards.first(), person)


@EACH
def test_of_two_who_decide_one_is_told(award, issuing, person, verb):
    other = Award.objects.get(pk=award.pk)
    stripe_id = book(issuing, award, of="nobody")
    resend_award(award, by=person, reason="Not there.")
    with pytest.raises(MoveError, match="Somebody else has just decided"):
        verb(other, person, stripe_id)
    award.refresh_from_db()
    assert award.state == "approved"


@EACH
def test_nothing_is_decided_while_stripe_does_not_answer(award, issuing, person, verb):
    issuing.faults({"kind": "error_503"})
    with pytest.raises(MoveError, match="does not answer now"):
        verb(award, person)
    award.refresh_from_db()
    assert award.state == "unknown"


@pytest.mark.parametrize("of", [None, "nobody"], ids=["ours", "made by hand"])
def test_adopt_books_what_stripe_has(award, batch, issuing, person, of):
    stripe_id = book(issuing, award, of=of)
    adopt_award(award, by=person, stripe_id=f" {stripe_id} ", reason="Seen in the dashboard.")
    assert (award.state, award.stripe_id, award.error_message) == ("issued", stripe_id, "")
    entry = award.ledger_entries.get()
    assert (entry.kind, entry.amount_minor, entry.stripe_id) == ("credit", 4990, stripe_id)
    assert balance(award.customer, "EUR") == 4990
    event = last_event(award)
    assert event.state == "issued"
    assert event.pgh_context.metadata == {
        "user": person.pk,
        "reason": "Was booked: Seen in the dashboard.",
    }
    issue()
    batch.refresh_from_db()
    assert batch.state == "issued"
    assert issuing.totals()["currencies"]["eur"]["credits"] == 5
    assert not list(verify_chain())


@pytest.mark.parametrize(
    ("booked", "words"),
    [
        ({"amount": -4989}, "Its amount or currency"),
        ({"amount": 4990}, "Its amount or currency"),
        ({"of": 0}, "belongs to another award"),
        (None, "no such transaction"),
    ],
)
def test_adopt_refuses_what_is_not_this_award(award, issuing, person, booked, words):
    stripe_id = "cbtxn_none" if booked is None else book(issuing, award, **booked)
    with pytest.raises(ValidationError) as refused:
        adopt_award(award, by=person, stripe_id=stripe_id, reason="Seen.")
    assert set(refused.value.message_dict) == {"stripe_id"}
    assert words in str(refused.value)
    assert not award.ledger_entries.exists()


def test_adopt_refuses_what_another_award_has(award, issuing, person):
    stripe_id = book(issuing, award, of="nobody")
    AwardFactory(
        batch=award.batch,
        subscription=None,
        customer=award.customer,
        state="issued",
        stripe_id=stripe_id,
    )
    with pytest.raises(ValidationError, match="belongs to another award"):
        adopt_award(award, by=person, stripe_id=stripe_id, reason="Seen.")


def test_adopt_says_that_stripe_could_not_show_it(award, issuing, person):
    issuing.client().v1.customers.delete(award.destination)
    adopt_award(award, by=person, stripe_id="cbtxn_1", reason="On the last invoice.")
    assert award.state == "issued"
    assert last_event(award).pgh_context.metadata["reason"] == (
        "Was booked: On the last invoice. (Stripe could not show it: "
        f"No such customer: '{award.destination}')"
    )


def test_resend_goes_out_under_a_new_key(award, batch, issuing, person):
    key = award.idempotency_key
    resend_award(award, by=person, reason="Not in the dashboard.")
    assert (award.state, award.idempotency_key, award.attempt) == ("approved", "", 1)
    assert last_event(award).pgh_context.metadata["reason"] == (
        "Was not booked, send again: Not in the dashboard."
    )
    assert issue().issued == 5
    award.refresh_from_db()
    assert (award.state, award.attempt) == ("issued", 2)
    assert award.idempotency_key != key
    assert issuing.totals("award")["by_metadata"]["credited"] == 5


@pytest.mark.parametrize("verb", [VERBS["resend"], VERBS["give up"]], ids=["resend", "give up"])
def test_what_stripe_shows_as_booked_is_not_sent_again_nor_given_up(award, issuing, person, verb):
    stripe_id = book(issuing, award)
    with pytest.raises(MoveError, match=f"Stripe shows it as {stripe_id}"):
        verb(award, person)
    book(issuing, award)
    with pytest.raises(MoveError, match="it was booked"):
        verb(award, person)


@pytest.mark.parametrize("booked", [{"amount": -1}, {"of": 0}, {"of": "nobody"}])
def test_resend_does_not_mind_what_is_not_ours(award, issuing, person, booked):
    book(issuing, award, **booked)
    assert resend_award(award, by=person, reason="Not ours.").state == "approved"


def test_give_up_is_failed_and_not_sent_again_with_others(award, batch, issuing, person):
    give_up_award(award, by=person, reason="Customer left.")
    assert (award.state, award.error_code) == ("failed", "given_up")
    assert award.error_message == "Customer left."
    issue()
    batch.refresh_from_db()
    assert batch.state == "issued"
    with pytest.raises(MoveError, match="No award of this batch has failed"):
        retry_failed(batch, by=person)
    retry_award(award, by=person)
    assert issue().issued == 1


def test_what_the_ledger_has_is_not_given_up(award, person):
    """Stripe lost it, and it was to be issued again: the customer was told that it is theirs."""
    entry = NewEntry(
        kind="credit", customer_id=award.customer_id, award_id=award.pk, amount_minor=4990,
        currency="EUR", stripe_id="cbtxn_lost", booked_at=timezone.now(),
    )  # fmt: skip
    record_entries([entry])
    with pytest.raises(MoveError, match="The ledger has it"):
        give_up_award(award, by=person, reason="Left.")
    resend_award(award, by=person, reason="Lost at Stripe.")
    issue()
    award.refresh_from_db()
    assert (award.state, award.ledger_entries.count()) == ("issued", 1)


def test_trial_is_adopted_by_its_date(trial, issuing, person):
    with pytest.raises(ValidationError, match="does not show the extended trial"):
        adopt_award(trial, by=person, stripe_id="", reason="Seen.")
    issuing.client().v1.subscriptions.update(
        trial.destination, {"trial_end": int(trial.trial_end_target.timestamp())}
    )
    adopt_award(trial, by=person, stripe_id="", reason="Seen.")
    assert (trial.state, trial.stripe_id) == ("issued", trial.destination)
    assert trial.ledger_entries.get().kind == "trial"
    assert trial.subscription.trial_end == trial.trial_end_target


def test_trial_that_is_there_is_not_sent_again(trial, issuing, person):
    issuing.client().v1.subscriptions.update(
        trial.destination, {"metadata": {f"amends_award_{trial.pk}": "1"}}
    )
    with pytest.raises(MoveError, match="it was booked"):
        resend_award(trial, by=person, reason="Not there.")


def test_look_at_stripe_reads_all_pages(award, issuing):
    ours = book(issuing, award)
    for _ in range(100):
        book(issuing, award, amount=-1, of="nobody")
    sight = look_at_stripe(award)
    assert (len(sight.lines), sight.is_whole, sight.booked) == (101, True, ours)
    newest, oldest = sight.lines[0], sight.lines[-1]
    assert (newest.is_ours, newest.is_right, newest.amount_minor) == (False, False, 1)
    assert (oldest.is_ours, oldest.is_right, oldest.currency) == (True, True, "EUR")
