"""Budgets per batch and per month: what is more cannot be submitted, approved, given or retried."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from backoffice.states import MoveError
from compensation.batches import submit_batch
from compensation.budgets import Fit, fits_of_batch, used_minor
from compensation.exclusions import exclude_award, include_award
from compensation.gestures import Gesture
from compensation.goodwill import give_goodwill, propose_goodwill
from compensation.issuing import retry_award, retry_failed
from compensation.models import Award, Budget
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, PolicyVersionFactory, activate
from tests.compensation.screens import page_of, press, signed_in, words
from tests.compensation.stories import approve, priced_batch, submitted_batch
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    for module in ("approval", "goodwill", "issuing.retrying"):
        monkeypatch.setattr(f"compensation.{module}.wake_issuing", lambda: None)


def month(amount_minor, **fields):
    return Budget.objects.create(span="month", currency="EUR", amount_minor=amount_minor, **fields)


MONTH_REFUSED = (
    r"EUR 49\.90 used, EUR 49\.90 waiting for approval, this EUR 49\.90, EUR 0\.01 too much\. "
    r"EUR 49\.89 would fit: leave out at least 1 award"
)


def gesture(amount_minor, key="1"):
    return Gesture(
        customer=CustomerFactory.create(), benefit="credit", amount_minor=amount_minor,
        currency="EUR", origin="T-1", reason="Sorry", key=key,
    )  # fmt: skip


def test_batch_over_its_budget_says_by_how_much_and_what_to_do():
    Budget.objects.create(span="batch", currency="EUR", amount_minor=9000)
    with pytest.raises(ValidationError) as raised:
        submitted_batch(awards=2)
    assert raised.value.message_dict == {
        "awards": [
            (
                "Budget of a batch: EUR 90.00; this EUR 99.80, EUR 9.80 too much. "
                "EUR 90.00 would fit: leave out at least 1 award, the largest."
            ),
            "Leave awards out, wait for the next month, or ask for a larger budget.",
        ]
    }


@pytest.mark.parametrize(("budget", "is_enough"), [(3 * 4990, True), (3 * 4990 - 1, False)])
def test_month_counts_what_waits_what_binds_and_goodwill(budget, is_enough):
    submitted_batch()
    AwardFactory(batch=None, source="goodwill", state="issued")
    AwardFactory(batch=None, source="goodwill", state="failed")
    month(budget)
    if is_enough:
        submitted_batch()
        return
    with pytest.raises(ValidationError, match=MONTH_REFUSED):
        submitted_batch()


def test_other_months_and_currencies_do_not_count():
    old = AwardFactory(batch=None, source="goodwill", state="issued")
    Award.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))
    AwardFactory(batch=None, source="goodwill", state="issued", currency="USD")
    month(4990)
    submitted_batch()
    assert used_minor("EUR", at=timezone.now()) == 4990
    assert used_minor("EUR", at=timezone.now() - timedelta(days=40)) == 4990


def test_month_is_of_utc():
    award = AwardFactory(batch=None, source="goodwill", state="issued")
    Award.objects.filter(pk=award.pk).update(
        created_at=datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    )
    assert used_minor("EUR", at=datetime(2026, 10, 1, tzinfo=UTC)) == 4990
    assert used_minor("EUR", at=datetime(2026, 11, 1, tzinfo=UTC)) == 0


def test_own_budget_of_a_month_comes_before_that_of_every_month():
    month(1)
    own = month(4990, month=timezone.now().date().replace(day=1))
    submitted_batch()
    own.delete()
    with pytest.raises(ValidationError, match="too much"):
        submitted_batch()


def test_reversals_give_back():
    award = AwardFactory(batch=None, source="goodwill", state="reversed", reversed_minor=3790)
    assert used_minor("EUR", at=timezone.now()) == 1200
    Award.objects.filter(pk=award.pk).update(reversed_minor=4990)
    assert used_minor("EUR", at=timezone.now()) == 0


def test_goodwill_is_bound_too():
    month(5000)
    give_goodwill(gesture(3000), by=staff(Role.SUPPORT_AGENT))
    for verb in (give_goodwill, propose_goodwill):
        with pytest.raises(ValidationError, match=r"EUR 10\.01 too much|EUR 0\.01 too much"):
            verb(gesture(2001, key="2"), by=staff(Role.SUPPORT_AGENT))
    propose_goodwill(gesture(2000, key="3"), by=staff(Role.SUPPORT_AGENT))
    assert used_minor("EUR", at=timezone.now()) == 5000


def test_smaller_budget_stops_the_approval():
    batch = submitted_batch()
    month(4989)
    with pytest.raises(MoveError, match=r"EUR 0\.01 too much"):
        approve(batch)


def test_failed_awards_count_again_when_retried():
    batch = approve(submitted_batch())
    Award.objects.update(state="failed")
    type(batch).objects.update(state="issued")
    month(4990)
    give_goodwill(gesture(1), by=staff(Role.SUPPORT_AGENT))
    with pytest.raises(MoveError, match="too much"):
        retry_failed(batch, by=staff(Role.FINANCE))
    with pytest.raises(MoveError, match="too much"):
        retry_award(batch.awards.get(), by=staff(Role.FINANCE))


def test_award_taken_back_in_must_fit_still():
    month(2 * 4990)
    batch = submitted_batch(awards=2)
    award = batch.awards.first()
    exclude_award(award, by=staff(Role.FINANCE), reason="x")
    submitted_batch()
    with pytest.raises(MoveError, match="too much"):
        include_award(award, by=staff(Role.FINANCE))
    award.refresh_from_db()
    assert award.state == "excluded"


def test_award_taken_back_in_must_fit_the_caps_still():
    """While it is left out, another batch may be priced as if it were not there."""
    version = activate(PolicyVersionFactory(cap_amounts={"EUR": 5000}))
    batch = submitted_batch(awards=2, version=version)
    award = batch.awards.order_by("id").first()
    exclude_award(award, by=staff(Role.FINANCE), reason="x")
    other = priced_batch(awards=0, version=version)
    AwardFactory(batch=other, subscription=award.subscription)
    submit_batch(other, by=staff(Role.FINANCE))
    with pytest.raises(MoveError, match="caps may be exceeded"):
        include_award(award, by=staff(Role.FINANCE))


def test_budget_constraints():
    month(1)
    for wrong in (
        {"span": "month", "currency": "EUR"},
        {"span": "batch", "currency": "USD", "month": date(2026, 11, 1)},
        {"span": "month", "currency": "USD", "month": date(2026, 11, 2)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Budget.objects.create(amount_minor=1, **wrong)


def test_batch_page_shows_what_is_left_and_blocks():
    month(6000)
    submitted_batch()
    batch = priced_batch()
    client, _person = signed_in(Role.FINANCE)
    page = page_of(client, batch)
    this = f"Budget {timezone.now():%B %Y}"
    assert (
        f"{this} blocks EUR 60.00; EUR 0.00 used, EUR 49.90 waiting for approval, this EUR 49.90, "
        "EUR 39.80 too much. EUR 10.10 would fit: leave out at least 1 award, the largest." in page
    )
    assert "A budget is exceeded. EUR 10.10 would fit: leave out" in page
    assert "A budget is exceeded, see below: leave awards out" in page
    page = press(client, "submit", batch)
    assert "EUR 39.80 too much." in page
    Budget.objects.update(amount_minor=9980)
    assert "EUR 0.00 left" in page_of(client, batch)


def test_admin_sets_a_budget_in_plain_money():
    client, _person = signed_in(Role.ADMINISTRATOR)
    door = "/admin/compensation/budget/add/"
    form = {"span": "month", "month": "2026-11-21", "currency": "eur", "amount": "50000.00"}
    client.post(door, form)
    budget = Budget.objects.get()
    assert (budget.month, budget.amount_minor) == (date(2026, 11, 1), 5_000_000)
    page = words(client.get("/admin/compensation/budget/"))
    assert "November 2026 EUR EUR 50,000.00" in page
    assert "There is a budget for this already" in words(client.post(door, form))
    page = words(client.post(door, form | {"span": "batch"}))
    assert "The budget of each batch is for no month." in page
    # without a month: also once only
    every = form | {"month": ""}
    client.post(door, every)
    assert "There is a budget for this already" in words(client.post(door, every))


@pytest.mark.parametrize(
    ("budget", "leave_out"), [(9999, 1), (4000, 1), (3999, 2), (1000, 2), (999, 3), (1, 3), (0, 4)]
)
def test_refusal_says_how_many_of_the_largest_must_go(budget, leave_out):
    Budget.objects.create(span="batch", currency="EUR", amount_minor=budget)
    batch = priced_batch(awards=0)
    for amount_minor in (999, 3000, 1, 6000):
        AwardFactory(batch=batch, amount_minor=amount_minor)
    AwardFactory(batch=batch, amount_minor=9000, currency="USD")
    (fit,) = fits_of_batch(batch, at=timezone.now())
    assert (fit.left_minor, fit.free_minor) == (budget - 10_000, budget)
    assert fit.leave_out == leave_out
    ordered = sorted((999, 3000, 1, 6000), reverse=True)
    assert sum(ordered[leave_out:]) <= budget < sum(ordered[leave_out - 1 :])


def test_what_would_fit_is_a_sum_that_stripe_takes():
    fit = Fit("batch", timezone.now(), "KWD", 10_005, 0, 0, 20_000)
    assert fit.remedy == "KWD 10.000 would fit."
    assert replace(fit, budget_minor=5).remedy == "Nothing would fit."
    assert replace(fit, wanted_minor=10_005).remedy == ""


def client_with(scope):
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=[scope])
    return APIClient(headers={"Authorization": f"Api-Key {secret}"})


def test_api_says_what_would_fit():
    Budget.objects.create(span="batch", currency="EUR", amount_minor=9000)
    batch = priced_batch(awards=2)
    answer = client_with(Scope.BATCHES_PROPOSE).post(f"/api/v1/batches/{batch.number}/submit/")
    assert answer.status_code == 400
    told = answer.json()["errors"][0]
    assert (told["field"], told["code"]) == ("awards", "budget")
    assert "EUR 90.00 would fit: leave out at least 1 award" in told["detail"]


def test_admin_tells_used_from_waiting_and_keeps_a_history():
    month(20_000)
    submitted_batch()
    AwardFactory(batch=None, source="goodwill", state="issued", amount_minor=1200)
    client, _person = signed_in(Role.ADMINISTRATOR)
    page = words(client.get("/admin/compensation/budget/"))
    assert "every month EUR EUR 200.00 EUR 12.00 EUR 49.90 EUR 138.10" in page
    door = f"/admin/compensation/budget/{Budget.objects.get().pk}/"
    form = {"span": "month", "month": "", "currency": "EUR", "amount": "300.00"}
    client.post(f"{door}change/", form)
    assert Budget.objects.get().amount_minor == 30_000
    assert "Changed" in words(client.get(f"{door}history/"))
    answer = words(client.post(f"{door}change/", form | {"amount": "1e30"}))
    assert "That is more than can be kept." in answer
