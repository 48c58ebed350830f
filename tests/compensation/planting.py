"""Two books that agree, ours and the sandbox's, with differences planted into them.

The sandbox's are written straight into its file, so that 20,000 awards take seconds. What is
planted says under which identity it must be found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from backoffice.customers.models import Customer, Subscription
from backoffice.stripe_sandbox.resources import balances
from backoffice.stripe_sandbox.seeding import Seeding
from backoffice.stripe_sandbox.store import Store, StripeObject
from backoffice.stripe_sandbox.world import World
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, Batch, Policy, PolicyVersion
from incidents.models import Incident

TARGET = datetime(2027, 1, 1, 12, tzinfo=UTC)
USED = 300
CREDIT, TRIAL = Award.Benefit.CREDIT, Award.Benefit.TRIAL


@dataclass(slots=True)
class Case:
    """One customer with two credits and, every fifth, an extended trial; maybe something wrong."""

    number: int
    plant: str = ""
    customer: int = 0
    credits: list[Award] = field(default_factory=list)
    trial: Award | None = None
    subscription: Subscription | None = None

    @property
    def account(self) -> str:
        return f"cus_planted{self.number}"

    @property
    def has_trial(self) -> bool:
        return self.number % 5 == 0


@dataclass(slots=True)
class Sandbox:
    """The sandbox's own file."""

    world: World
    entries: list[NewEntry] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    def book(self, account: str, amount: int, **metadata: str) -> StripeObject:
        params = {"amount": amount, "currency": "eur", "metadata": metadata}
        return balances.create(self.world, params, account)

    def use(self, account: str, amount: int, kind: str = "") -> StripeObject:
        """An invoice takes `amount` of the balance, or Stripe books it as `kind`."""
        customer = self.world.store.find("customers", account)
        assert customer
        invoice = {"id": f"in_{account}", "currency": "eur"}
        balances.apply_to_invoice(self.world, customer, amount, invoice)
        found = self.newest(account)
        if kind:
            self.tamper(found, type=kind)
        return found

    def newest(self, account: str) -> StripeObject:
        (seq,) = self.world.store.execute(
            "SELECT id FROM balance_transactions WHERE customer = ? ORDER BY seq DESC LIMIT 1",
            (account,),
        ).fetchone()
        found = self.world.store.find("balance_transactions", seq)
        assert found
        return found

    def tamper(self, found: StripeObject, **changes: Any) -> None:
        self.world.store.replace("balance_transactions", found | changes)

    def used_by_our_books(self, case: Case, stripe_id: str, amount: int) -> None:
        self.entries.append(
            NewEntry(
                kind="consumed",
                customer_id=case.customer,
                award_id=case.credits[0].pk,
                amount_minor=-amount,
                currency="EUR",
                stripe_id=stripe_id,
                booked_at=timezone.now(),
            )
        )


# --- what goes wrong --------------------------------------------------------------------------
# Each gets the case after its credits are booked, but for those that change the booking itself.


def _by_hand(sandbox: Sandbox, case: Case) -> str:
    return f"unknown:{sandbox.book(case.account, -1234)['id']}"


def _taken_by_hand(sandbox: Sandbox, case: Case) -> str:
    return f"unknown:{sandbox.book(case.account, 55)['id']}"


def _of_no_award(sandbox: Sandbox, case: Case) -> str:
    return f"unknown:{sandbox.book(case.account, -77, award='999999999')['id']}"


def _doubled(sandbox: Sandbox, case: Case) -> str:
    award = case.credits[0]
    again = sandbox.book(case.account, -award.amount_minor, award=str(award.pk))
    return f"doubled:{again['id']}"


def _currency(sandbox: Sandbox, case: Case) -> str:
    found = sandbox.newest(case.account)
    sandbox.tamper(found, currency="usd", ending_balance=found["amount"])
    return f"amount:{found['id']}"


def _unbooked_use(sandbox: Sandbox, case: Case) -> str:
    return f"consumption:{sandbox.use(case.account, USED)['id']}"


def _half_booked_use(sandbox: Sandbox, case: Case) -> str:
    used = sandbox.use(case.account, USED)["id"]
    sandbox.used_by_our_books(case, used, USED // 2)
    return f"consumption:{used}"


def _invented_use(sandbox: Sandbox, case: Case) -> str:
    sandbox.used_by_our_books(case, f"cbtxn_none{case.number}", USED)
    return f"consumption:cbtxn_none{case.number}"


def _balance(sandbox: Sandbox, case: Case) -> str:
    found = sandbox.newest(case.account)
    sandbox.tamper(found, ending_balance=found["ending_balance"] + 13)
    return f"balance:{case.customer}:EUR"


def _deleted(sandbox: Sandbox, case: Case) -> str:
    customer = sandbox.world.store.find("customers", case.account)
    assert customer
    sandbox.world.store.replace("customers", customer | {"deleted": True})
    return f"unreadable:{case.account}:EUR"


def _missing(_sandbox: Sandbox, case: Case) -> str:
    return f"missing:award {case.credits[0].pk}"


def _amount(_sandbox: Sandbox, case: Case) -> str:
    return f"amount:{case.credits[0].stripe_id}"


def _trial(_sandbox: Sandbox, case: Case) -> str:
    assert case.trial
    return f"trial:award {case.trial.pk}"


# --- what looks odd and is right --------------------------------------------------------------


def _used(sandbox: Sandbox, case: Case) -> str:
    sandbox.used_by_our_books(case, sandbox.use(case.account, USED)["id"], USED)
    return ""


def _fees(sandbox: Sandbox, case: Case) -> str:
    sandbox.use(case.account, -20, kind="invoice_too_small")
    return ""


def _metadata_gone(sandbox: Sandbox, case: Case) -> str:
    sandbox.tamper(sandbox.newest(case.account), metadata={})
    return ""


def _sending(_sandbox: Sandbox, _case: Case) -> str:
    return ""


PLANTS: dict[str, Callable[[Sandbox, Case], str]] = {
    "missing": _missing,
    "amount": _amount,
    "currency": _currency,
    "doubled": _doubled,
    "by_hand": _by_hand,
    "taken_by_hand": _taken_by_hand,
    "of_no_award": _of_no_award,
    "trial": _trial,
    "unbooked_use": _unbooked_use,
    "half_booked_use": _half_booked_use,
    "invented_use": _invented_use,
    "balance": _balance,
    "deleted": _deleted,
}
HARMLESS: dict[str, Callable[[Sandbox, Case], str]] = {
    "used": _used,
    "fees": _fees,
    "metadata_gone": _metadata_gone,
    "sending": _sending,
    "sending_booked": _sending,
}
EVERYTHING = PLANTS | HARMLESS


def plant(state: Path | str, *, awards: int, each: int) -> set[str]:
    """About `awards` awards, `each` of everything planted; the identities that must be found.

    `state` is the sandbox's file; it may be running.
    """
    cases = [Case(number) for number in range(awards * 5 // 11)]
    names = iter([name for name in EVERYTHING for _ in range(each)])
    # not side by side: spread over the whole
    step = max(1, len(cases) // (len(EVERYTHING) * each))
    for case in cases[::step]:
        case.plant = next(names, "")
    for case in cases:
        # a trial can only be wrong where there is one
        if case.plant == "trial" and not case.has_trial:
            other = next(c for c in cases if c.has_trial and not c.plant)
            case.plant, other.plant = "", "trial"
    _write_ours(cases)
    store = Store(state)
    try:
        sandbox = Sandbox(World(store, silent=True))
        _write_stripes(sandbox, cases)
    finally:
        store.close()
    _book(sandbox, cases)
    return sandbox.expected


def _write_ours(cases: list[Case]) -> None:
    batches = [_batch(number) for number in (1, 2, 3)]
    customers = Customer.objects.bulk_create(
        (
            Customer(
                reference=f"P-{case.number:06}", name=f"Planted {case.number}", currency="EUR",
                stripe_customer_id=case.account,
            )
            for case in cases
        ),
        batch_size=2_000,
    )  # fmt: skip
    for case, customer in zip(cases, customers, strict=True):
        case.customer = customer.pk
    _write_subscriptions(cases)
    written = iter(Award.objects.bulk_create(_awards(cases, batches), batch_size=2_000))
    for case in cases:
        case.credits = [next(written), next(written)]
        if case.has_trial:
            case.trial = next(written)


def _write_subscriptions(cases: list[Case]) -> None:
    subscribed = [case for case in cases if case.has_trial]
    made = Subscription.objects.bulk_create(
        (
            Subscription(
                reference=f"PS-{case.number:06}", customer_id=case.customer, plan="Business",
                fee_minor=49900, currency="EUR", status="trialing",
                started_at=datetime(2024, 1, 1, tzinfo=UTC), trial_end=TARGET,
                stripe_subscription_id=f"sub_planted{case.number}",
            )
            for case in subscribed
        ),
        batch_size=2_000,
    )  # fmt: skip
    for case, subscription in zip(subscribed, made, strict=True):
        case.subscription = subscription


def _awards(cases: list[Case], batches: list[Batch]) -> Iterator[Award]:
    now = timezone.now()
    for case in cases:
        sends = case.plant.startswith("sending")
        for order, batch in enumerate(batches[:2]):
            name = f"award-{case.number}-{order}"
            yield Award(
                batch=batch, incident=batch.incident, customer_id=case.customer, benefit=CREDIT,
                state="sending" if sends and not order else "issued",
                amount_minor=1000 + case.number % 900 + order, currency="EUR",
                destination=case.account, idempotency_key=name, parameters_hash="0" * 64,
                first_sent_at=now, issued_at=None if sends and not order else now,
            )  # fmt: skip
        if case.subscription:
            yield Award(
                batch=batches[2], incident=batches[2].incident, customer_id=case.customer,
                subscription=case.subscription, benefit=TRIAL, state="issued", days=14,
                trial_end_target=TARGET, idempotency_key=f"award-{case.number}-trial",
                destination=case.subscription.stripe_subscription_id or "", issued_at=now,
                parameters_hash="0" * 64, first_sent_at=now,
            )  # fmt: skip


def _batch(number: int) -> Batch:
    policy = Policy.objects.get_or_create(key="planted", defaults={"name": "Planted"})[0]
    version = PolicyVersion.objects.get_or_create(policy=policy, number=1)[0]
    incident = Incident.objects.create(number=f"INC-2025-9{number:02}", title="Planted")
    return Batch.objects.create(
        number=f"2025-9{number:02}", incident=incident, version=version, state="issued"
    )


def _write_stripes(sandbox: Sandbox, cases: list[Case]) -> None:
    seeding = Seeding(sandbox.world)
    for start in range(0, len(cases), 2_000):
        seeding.seed([_record(case) for case in cases[start : start + 2_000]])
    sandbox.world.silent = True
    with sandbox.world.store.transaction():
        for case in cases:
            for award in case.credits:
                _book_credit(sandbox, case, award)
            identity = EVERYTHING[case.plant](sandbox, case) if case.plant else ""
            if identity:
                sandbox.expected.add(identity)


def _record(case: Case) -> dict[str, Any]:
    record: dict[str, Any] = {"customer": {"id": case.account}}
    if case.has_trial:
        end = TARGET - timedelta(days=3) if case.plant == "trial" else TARGET
        price = {
            "currency": "eur", "unit_amount": 49900, "recurring": {"interval": "month"},
            "product_data": {"name": "Business"},
        }  # fmt: skip
        record["subscription"] = {
            "id": f"sub_planted{case.number}",
            "items": [{"price_data": price}],
            "trial_end": int(end.timestamp()),
        }
    return record


def _book_credit(sandbox: Sandbox, case: Case, award: Award) -> None:
    is_first = award is case.credits[0]
    if is_first and case.plant == "sending":
        return
    if is_first and case.plant == "missing":
        award.stripe_id = f"cbtxn_lost{award.pk}"
        return
    more = 7 if is_first and case.plant == "amount" else 0
    made = sandbox.book(case.account, -award.amount_minor - more, award=str(award.pk))
    if award.state == "issued":
        award.stripe_id = made["id"]


def _book(sandbox: Sandbox, cases: list[Case]) -> None:
    awards = [award for case in cases for award in [*case.credits, case.trial] if award]
    Award.objects.bulk_update(awards, ["stripe_id"], batch_size=2_000)
    booked = [
        NewEntry(
            kind=award.benefit, customer_id=award.customer_id, award_id=award.pk,
            amount_minor=award.amount_minor, currency=award.currency, stripe_id=award.stripe_id,
            booked_at=timezone.now(),
        )
        for award in awards
        if award.state == "issued"
    ]  # fmt: skip
    for start in range(0, len(booked), 2_000):
        record_entries(booked[start : start + 2_000])
    record_entries(sandbox.entries)


def by_kind(identities: set[str]) -> dict[str, int]:
    """How many of each kind."""
    counts: dict[str, int] = defaultdict(int)
    for identity in identities:
        counts[identity.partition(":")[0]] += 1
    return dict(counts)
