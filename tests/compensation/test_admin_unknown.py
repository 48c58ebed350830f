"""The screen for outcomes that nobody could prove: what is known, what Stripe shows, a decision."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.roles import Role
from tests.accounts.factories import staff
from tests.compensation.test_deciding import book, trial, unknown  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr("compensation.issuing.deciding.wake_issuing", lambda: None)


@pytest.fixture
def award(batch):
    return unknown(batch)


@pytest.fixture
def approver(client):
    person = staff(Role.FINANCE_APPROVER)
    client.force_login(person)
    return person


@pytest.fixture
def unknowns(client):
    return lambda **query: text(client.get(reverse("admin:compensation_award_unknown"), query))


@pytest.fixture
def look(client):
    return lambda award: text(client.get(door(award, "look")))


@pytest.fixture
def decide(client):
    def post(award, name, **data):
        return text(client.post(door(award, name), data, follow=True))

    return post


def door(award, name):
    return reverse(f"admin:compensation_award_{name}", args=[award.pk])


def text(response):
    assert response.status_code == 200
    words = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", words)


def test_screen_tells_what_is_known(award, approver, unknowns):
    seen = unknowns()
    assert "1 award waits for a person: nothing proves whether Stripe booked it." in seen
    assert f"#{award.pk} EUR 49.90 for {award.customer}" in seen
    for known in (award.idempotency_key, award.destination, "Nobody knows.", "unprovable"):
        assert known in seen
    for offered in ("Look at Stripe", "It was booked …", "send it again …", "Give it up …"):
        assert offered in seen


def test_screen_without_any_says_so(approver, unknowns):
    assert "Every outcome is known." in unknowns()


def test_screen_of_one_batch(award, approver, unknowns):
    assert award.idempotency_key in unknowns(batch=award.batch.number)
    assert award.idempotency_key not in unknowns(batch="2099-999")


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_screen_offers_decisions_to_approvers_only(award, client, unknowns, role):
    client.force_login(staff(role))
    seen = unknowns()
    assert "A finance approver decides" in seen
    assert "It was booked …" not in seen
    assert ("Look at Stripe #" in seen) == (role == Role.FINANCE)


def test_screen_reads_no_more_for_three_than_for_one(batch, approver, unknowns):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            unknowns()
        return len(seen)

    unknown(batch)
    queries()  # what is read once and kept
    with_one = queries()
    unknown(batch)
    unknown(batch)
    assert queries() == with_one


def test_look_shows_what_stripe_has(award, approver, look, issuing):
    assert "Stripe has booked nothing for this customer since the award was sent." in look(award)
    by_hand = book(issuing, award, amount=-100, of="nobody")
    seen = look(award)
    assert "None of these is this award beyond doubt." in seen
    assert by_hand in seen
    assert "other amount" in seen
    ours = book(issuing, award)
    assert f"Stripe has it as {ours}." in look(award)


def test_look_says_when_stripe_refuses_or_is_silent(award, approver, look, issuing):
    issuing.faults({"kind": "error_503"})
    assert "Stripe does not answer now" in look(award)
    issuing.clear_faults()
    issuing.client().v1.customers.delete(award.destination)
    assert f"Stripe shows nothing No such customer: &#x27;{award.destination}&#x27;" in look(award)


def test_look_at_a_trial(trial, approver, look, issuing):  # noqa: F811
    assert "The subscription does not carry this award's number. It has no trial." in look(
        trial
    ).replace("&#x27;", "'")


def test_adopt_through_the_screen(award, approver, decide, issuing):
    stripe_id = book(issuing, award)
    seen = decide(award, "adopt", stripe_id=stripe_id, reason="Seen.", back="award")
    assert f"Award #{award.pk} is issued, and booked in the ledger." in seen
    assert f"{approver}: Was booked: Seen." in seen
    award.refresh_from_db()
    assert award.state == "issued"


def test_refusal_is_told(award, approver, decide, issuing):
    assert "This customer has no such transaction" in decide(
        award, "adopt", stripe_id="cbtxn_x", reason="Seen."
    )
    assert "Say how you know." in decide(award, "resend", reason="")


def test_resend_and_give_up_through_the_screen(batch, approver, decide):
    first, second = unknown(batch), unknown(batch)
    assert f"Award #{first.pk} is sent again" in decide(first, "resend", reason="Not there.")
    assert "Every outcome is known." in decide(second, "give_up", reason="Left.")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("approved", "failed")


def test_deciding_takes_a_second_factor(award, approver, decide, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    assert "takes your second factor" in decide(award, "give_up", reason="Left.", back="award")
    award.refresh_from_db()
    assert award.state == "unknown"


def test_front_page_and_batch_lead_there(award, approver, client):
    address = reverse("admin:compensation_award_unknown")
    front = client.get(reverse("admin:index")).content.decode()
    assert f"{address}?batch={award.batch.number}" in front
    page = client.get(reverse("admin:compensation_batch_change", args=[award.batch_id]))
    assert f"{address}?batch={award.batch.number}" in page.content.decode()


def test_batch_offers_no_retry_of_what_was_given_up(award, approver, decide, client):
    page = reverse("admin:compensation_batch_change", args=[award.batch_id])
    decide(award, "give_up", reason="Left.")
    assert "1 award failed" in text(client.get(page))
    assert reverse("admin:compensation_batch_retry", args=[award.batch_id]) not in (
        client.get(page).content.decode()
    )
