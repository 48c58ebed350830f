"""What people do about findings: asked who they are and why, and the next run sees it."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation import issuing as issuer
from compensation.ledger import balance
from compensation.models import Award, Finding, Reversal
from compensation.reconciliation import go_on, open_run, remedies
from compensation.reversing import approve_request, ask_for_award, take_back
from tests.accounts.factories import staff
from tests.compensation.stories import change_behind_our_back

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issued(issuing, batch, monkeypatch, settings):
    """Five credits, booked at the sandbox; what is used counts at once."""
    monkeypatch.setattr("compensation.reconciliation.runs.wake_reconciling", lambda: None)
    monkeypatch.setattr("compensation.reconciliation.remedies.wake_issuing", lambda: None)
    settings.RECONCILIATION_GRACE_SECONDS = 0
    assert issuer.issue().issued == 5
    return batch


def compare(**more):
    run = open_run("awarded", **more)
    go_on()
    run.refresh_from_db()
    return run


def by_hand(sandbox, award, amount=-1000):
    client = sandbox.client()
    return client.v1.customers.balance_transactions.create(
        award.destination, {"amount": amount, "currency": "eur"}
    ).id


def test_what_agrees_has_no_findings(issued):
    run = compare()
    assert (run.awards, run.transactions, run.found) == (5, 5, 0)
    assert run.totals == {
        "EUR": dict.fromkeys(("found", "accepted", "under_way", "not_ours"), 0)
        | {"ours": 5 * 4990, "stripe": 5 * 4990}
    }


def test_made_by_hand_is_accepted_and_stays_so(issued, issuing):
    award = issued.awards.first()
    made = by_hand(issuing, award)
    compare()
    finding = Finding.objects.get()
    assert (finding.identity, finding.difference_minor) == (f"unknown:{made}", 1000)
    with pytest.raises(PermissionDenied):
        remedies.accept(finding, by=staff(Role.AUDITOR), reason="Known.")
    with pytest.raises(ValidationError):
        remedies.accept(finding, by=staff(Role.FINANCE), reason=" ")
    remedies.accept(finding, by=staff(Role.FINANCE), reason="Agreed on the phone.")
    run = compare()
    finding.refresh_from_db()
    assert (finding.state, finding.settled_reason) == ("acknowledged", "Agreed on the phone.")
    assert (run.found, run.seen_again, run.totals["EUR"]["accepted"]) == (0, 1, 1000)
    remedies.reopen(finding, by=staff(Role.FINANCE))
    assert Finding.objects.get().state == "open"


def test_gone_closes_itself_and_is_the_same_when_back(issued):
    award = issued.awards.first()
    change_behind_our_back_tx(award, amount_minor=5000)
    compare()
    finding = Finding.objects.get(kind="amount")
    change_behind_our_back_tx(award, amount_minor=4990)
    run = compare()
    finding.refresh_from_db()
    assert (finding.state, run.closed, finding.closed_at is not None) == ("closed", 2, True)
    change_behind_our_back_tx(award, amount_minor=5000)
    compare()
    finding.refresh_from_db()
    assert (finding.state, finding.closed_at) == ("open", None)
    states = [event.state for event in finding.events.order_by("pgh_id")]
    assert states == ["open", "closed", "open"]


def change_behind_our_back_tx(award, **fields):
    from django.db import transaction

    with transaction.atomic():
        change_behind_our_back(award, **fields)


def test_missing_is_looked_up_and_issued_again_under_a_new_key(issued, issuing):
    award = issued.awards.first()
    old_key = award.idempotency_key
    issuing.reset()
    from tests.compensation.stories import seed_sandbox

    seed_sandbox(issuing, issued)
    # so long ago that Stripe has forgotten the key
    change_behind_our_back_tx(award, first_sent_at=award.first_sent_at - timedelta(days=2))
    compare()
    assert Finding.objects.filter(kind="missing", state="open").count() == 5
    finding = Finding.objects.get(award=award)
    with pytest.raises(PermissionDenied):
        remedies.issue_again(finding, by=staff(Role.FINANCE_APPROVER), reason="Lost.")
    remedies.issue_again(finding, by=staff(Role.FINANCE), reason="Stripe lost it.")
    with pytest.raises(MoveError):
        remedies.issue_again(finding, by=staff(Role.FINANCE), reason="Stripe lost it.")
    assert issuer.issue().issued == 1
    award.refresh_from_db()
    assert (award.state, award.attempt) == ("issued", 2)
    assert award.idempotency_key != old_key
    # owed, and booked, once
    assert balance(award.customer, "EUR") == 4990
    assert issuing.totals("award")["by_metadata"]["credited"] == 1
    run = compare()
    finding.refresh_from_db()
    assert (finding.state, run.closed, finding.remedy) == ("closed", 1, "issued again")
    assert Award.objects.filter(state="issued").count() == 5


def test_doubled_is_taken_back_by_two_people_and_leaves_award_and_ledger(issued, issuing):
    award = issued.awards.first()
    again = issuing.client().v1.customers.balance_transactions.create(
        award.destination,
        {"amount": -4990, "currency": "eur", "metadata": {"award": str(award.pk)}},
    )
    compare()
    finding = Finding.objects.get()
    assert (finding.identity, finding.difference_minor) == (f"doubled:{again.id}", 4990)
    with pytest.raises(MoveError):
        remedies.issue_again(finding, by=staff(Role.FINANCE), reason="Wrong button.")
    request = remedies.take_back(finding, by=staff(Role.FINANCE), reason="Booked twice.")
    assert take_back().done == 0
    approve_request(request, by=staff(Role.FINANCE_APPROVER), digest=request.digest)
    assert take_back().done == 1
    with pytest.raises(MoveError):
        remedies.take_back(finding, by=staff(Role.FINANCE), reason="Once more.")
    award.refresh_from_db()
    assert (award.state, award.reversed_minor, balance(award.customer, "EUR")) == (
        "issued", 0, 4990,
    )  # fmt: skip
    run = compare()
    finding.refresh_from_db()
    assert (finding.state, run.found, run.closed) == ("closed", 0, 1)
    line = run.totals["EUR"]
    assert line["ours"] == line["stripe"] == 5 * 4990


def test_reversal_has_its_counterpart(issued, issuing):
    award = issued.awards.first()
    request = ask_for_award(award, by=staff(Role.FINANCE), cause="mistake", reason="Wrong.")
    approve_request(request, by=staff(Role.FINANCE_APPROVER), digest=request.digest)
    take_back()
    run = compare()
    assert (run.found, run.transactions, run.totals["EUR"]["ours"]) == (0, 6, 4 * 4990)
    reversal = request.reversals.get()
    Reversal.objects.filter(pk=reversal.pk).update(stripe_id="cbtxn_none")
    issuing.client().v1.customers.balance_transactions.update(
        award.destination, reversal.stripe_id, {"metadata": {"amends_reversal": "999"}}
    )
    compare()
    found = dict(Finding.objects.values_list("identity", "difference_minor"))
    assert found == {
        f"missing:reversal {reversal.pk}": 4990, f"unknown:{reversal.stripe_id}": -4990,
    }  # fmt: skip


def test_unbooked_use_is_read_again_and_booked(issued, issuing):
    award = issued.awards.first()
    issuing.bill(customer=award.destination, amount=3000, currency="eur")
    compare()
    finding = Finding.objects.get()
    assert (finding.kind, finding.difference_minor) == ("consumption", -3000)
    assert balance(award.customer, "EUR") == 4990
    with pytest.raises(PermissionDenied):
        remedies.compare_again(finding, by=staff(Role.AUDITOR))
    run = remedies.compare_again(finding, by=staff(Role.FINANCE))
    go_on()
    run.refresh_from_db()
    assert (run.state, run.scope, run.closed) == ("finished", "customer", 1)
    assert balance(award.customer, "EUR") == 1990
    assert Finding.objects.get().state == "closed"
