"""What we send fits Stripe's own types, and every answer becomes one of our outcomes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pydantic import ConfigDict, TypeAdapter, ValidationError
from stripe.params import CustomerBalanceTransactionCreateParams, SubscriptionUpdateParams

from compensation import stripe_calls
from compensation.issuing.orders import new_key, order_for
from compensation.stripe_calls import Done, Page, Rejected, Unauthorised, Unknown
from tests.compensation.factories import AwardFactory

STRICT = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)


def adapter(monkeypatch, params_type):
    monkeypatch.setattr(params_type, "__pydantic_config__", STRICT, raising=False)
    return TypeAdapter(params_type)


def order(**fields):
    award = AwardFactory(destination="cus_1", **fields)
    return order_for(award, key="key", first_sent_at=timezone.now(), is_fresh=True)


@pytest.mark.django_db
class TestOrders:
    def test_credit_fits_the_librarys_type(self, monkeypatch):
        made = order()
        check = adapter(monkeypatch, CustomerBalanceTransactionCreateParams)
        assert check.validate_python(made.parameters) == made.parameters
        assert made.parameters["amount"] == -4990
        assert made.parameters["currency"] == "eur"
        assert made.path == "/v1/customers/cus_1/balance_transactions"
        for wrong in ({"amount": "-4990"}, {"amout": 1}, {"metadata": {"award": 1}}):
            with pytest.raises(ValidationError):
                check.validate_python(made.parameters | wrong)

    def test_goodwill_fits_the_librarys_type(self, monkeypatch):
        made = order(batch=None, source="goodwill")
        check = adapter(monkeypatch, CustomerBalanceTransactionCreateParams)
        assert check.validate_python(made.parameters) == made.parameters
        assert made.parameters["description"] == "Goodwill credit"

    def test_trial_fits_the_librarys_type(self, monkeypatch):
        target = datetime(2026, 12, 1, tzinfo=UTC)
        made = order(benefit="trial", amount_minor=0, currency="", days=7, trial_end_target=target)
        check = adapter(monkeypatch, SubscriptionUpdateParams)
        assert check.validate_python(made.parameters) == made.parameters
        assert made.parameters == {
            "trial_end": 1796083200,
            "proration_behavior": "none",
            "metadata": {f"amends_award_{made.award}": "1796083200"},
        }
        with pytest.raises(ValidationError):
            check.validate_python({"trial_ends": 1})

    def test_hash_covers_path_and_parameters_and_is_the_same_each_time(self):
        award = AwardFactory(destination="cus_1")
        common = {"key": "key", "first_sent_at": timezone.now(), "is_fresh": True}
        first = order_for(award, **common).parameters_hash()
        assert order_for(award, **common | {"key": "other"}).parameters_hash() == first
        award.destination = "cus_2"
        second = order_for(award, **common).parameters_hash()
        award.amount_minor += 1
        assert len({first, second, order_for(award, **common).parameters_hash()}) == 3


def test_new_key_is_never_the_same():
    assert new_key(1, 1) != new_key(1, 1)
    assert len(new_key(10**18, 99)) < 255


@pytest.mark.django_db
def test_key_is_safe_for_23_hours():
    made = order()
    hours = timedelta(hours=1)
    assert made.key_is_safe(made.first_sent_at + 23 * hours - timedelta(seconds=1))
    assert not made.key_is_safe(made.first_sent_at + 23 * hours)


CREDIT: CustomerBalanceTransactionCreateParams = {"amount": -100, "currency": "eur"}


@pytest.fixture
def customer(stripe_sandbox):
    return stripe_sandbox.client().v1.customers.create({"name": "Acme"}).id


def credit(customer, **params):
    return stripe_calls.create_credit(
        stripe_calls.stripe_client(), customer, CREDIT | params, key="key-1"
    )


def test_create_credit(customer):
    first = credit(customer)
    assert isinstance(first, Done)
    assert credit(customer) == first


@pytest.mark.parametrize(
    ("fault", "is_settled", "is_stripes"),
    [
        ("lost_answer", False, False),
        ("truncated", False, False),
        ("drop_before", False, False),
        ("conflict_409", False, False),
        ("error_502_html", False, False),
        ("error_500_kept", False, True),
    ],
)
def test_no_or_half_an_answer_is_unknown(stripe_sandbox, customer, fault, is_settled, is_stripes):
    stripe_sandbox.faults({"kind": fault, "method": "POST", "count": 1})
    result = credit(customer)
    assert isinstance(result, Unknown)
    assert (result.is_settled, result.is_stripes) == (is_settled, is_stripes)
    assert result.reason


def test_replayed_failure_is_settled(stripe_sandbox, customer):
    stripe_sandbox.faults({"kind": "error_500_kept", "method": "POST", "count": 1})
    credit(customer)
    result = credit(customer)
    assert isinstance(result, Unknown)
    assert (result.is_settled, result.is_stripes) == (True, True)


def test_used_key_is_settled(customer):
    credit(customer)
    result = credit(customer, amount=-101)
    assert isinstance(result, Unknown)
    assert result.is_settled


def test_time_out_is_unknown(stripe_sandbox, customer, settings):
    settings.STRIPE_TIMEOUT_SECONDS = 0.2
    stripe_sandbox.faults({"kind": "delay", "delay_ms": 600})
    assert isinstance(credit(customer), Unknown)


def test_nobody_listening_is_unknown(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert isinstance(credit("cus_1"), Unknown)


def test_refusals_are_told_apart(stripe_sandbox, customer, settings):
    assert credit("cus_none") == Rejected("resource_missing", "No such customer: 'cus_none'")
    stripe_sandbox.faults({"kind": "rate_limit", "count": 1})
    assert credit(customer) == stripe_calls.RateLimited()
    settings.STRIPE_API_KEY = "wrong"
    assert isinstance(credit(customer), Unauthorised)


def test_read_subscription_that_is_none(stripe_sandbox):
    result = stripe_calls.read_subscription(stripe_calls.stripe_client(), "sub_none")
    assert result == Rejected("resource_missing", "No such subscription: 'sub_none'")


def test_list_transactions_by_page(customer):
    done = credit(customer)
    page = stripe_calls.list_transactions(
        stripe_calls.stripe_client(), customer, created_from=timezone.now() - timedelta(hours=1)
    )
    assert isinstance(page, Page)
    assert not page.has_more
    (seen,) = page.transactions
    assert (seen.stripe_id, seen.amount, seen.currency) == (done.stripe_id, -100, "eur")
    assert (seen.kind, seen.ending_balance, seen.invoice) == ("adjustment", -100, "")
    assert stripe_calls.list_transactions(stripe_calls.stripe_client(), customer) == page


class OtherAnswer:
    """Stripe's edge, answering with something that we did not ask for."""

    def __init__(self, **fields):
        self.fields = {
            "id": "cbtxn_1",
            "object": "customer_balance_transaction",
            "amount": -100,
            "currency": "eur",
            "customer": "cus_1",
        } | fields
        self.v1 = self.customers = self.balance_transactions = self

    def create(self, *_):
        return self

    def to_dict(self):
        return self.fields


@pytest.mark.parametrize(
    "fields",
    [{"amount": -99}, {"amount": "-100"}, {"currency": "usd"}, {"customer": "cus_2"}, {"id": ""}],
)
def test_answer_that_is_not_what_we_asked_is_unknown(fields):
    call = {"customer": "cus_1", "params": CREDIT, "key": "key"}
    assert stripe_calls.create_credit(OtherAnswer(), **call) == Done("cbtxn_1")
    assert isinstance(stripe_calls.create_credit(OtherAnswer(**fields), **call), Unknown)
