"""The batch that is issued in the storm, and what Stripe's sandbox knows of its customers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.models import Customer, Subscription
from backoffice.stripe_sandbox.control import SandboxControl
from compensation.approval import approve_batch
from compensation.batches import create_batch, submit_batch
from compensation.models import Award, Batch, Policy, PolicyVersion
from compensation.models.batch import BatchState
from incidents.models import Incident

STARTED = datetime(2024, 1, 1, tzinfo=UTC)
SEEDED_AT_ONCE = 1_000
# One in so many is refused by Stripe for good: billed in dollars there, or on a longer trial.
ONE_REFUSED_IN = 50


@dataclass(frozen=True, slots=True)
class Owed:
    """What one award is to bring about, as it was approved; amounts in minor units, UTC.

    `is_refused`: Stripe has a reason of its own to refuse it, so nothing may change there.
    """

    award: int
    benefit: str
    destination: str
    amount_minor: int
    currency: str
    trial_end: int
    is_refused: bool


def build(sandbox: SandboxControl, *, awards: int, random: Random) -> tuple[Batch, list[Owed]]:
    """An approved batch, through the real verbs but for the pricing; and what it promises.

    Two of three subscriptions get a credit, every second of those an extended trial as well.
    """
    subscriptions = _subscriptions((2 * awards + 2) // 3)
    maker, approver = (
        User.objects.create_superuser(f"{name}@example.com") for name in ("maker", "approver")
    )
    version = PolicyVersion.objects.create(
        policy=Policy.objects.create(key="chaos", name="Chaos"),
        number=1,
        state=PolicyVersion.State.ACTIVE,
    )
    incident = Incident.objects.create(number="INC-2026-001", title="Chaos")
    batch = create_batch(incident, version, by=maker)
    Award.objects.bulk_create(_awards(batch, subscriptions, awards, random))
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PRICED, priced_at=timezone.now())
    refused = _seed(sandbox, batch, random)
    submit_batch(batch, by=maker)
    # the workers are woken by the storm itself
    with patch("compensation.approval.wake_issuing"):
        approve_batch(batch, by=approver, digest=batch.digest)
    return batch, [_owed(award, refused) for award in batch.awards.order_by("id")]


def _subscriptions(count: int) -> list[Subscription]:
    customers = Customer.objects.bulk_create(
        Customer(
            reference=f"C-{n}", name=f"Customer {n}", email=f"c{n}@example.com", currency="EUR",
            stripe_customer_id=f"cus_chaos{n}",
        )
        for n in range(count)
    )  # fmt: skip
    return Subscription.objects.bulk_create(
        Subscription(
            reference=f"S-{n}", customer=customer, plan="Fibre", fee_minor=4990, currency="EUR",
            started_at=STARTED, stripe_subscription_id=f"sub_chaos{n}",
        )
        for n, customer in enumerate(customers)
    )  # fmt: skip


def _awards(
    batch: Batch, subscriptions: list[Subscription], count: int, random: Random
) -> list[Award]:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    made = []
    for n in range(count):
        subscription = subscriptions[n // 3 * 2 + (n % 3 == 2)]
        common: dict[str, Any] = {
            "batch": batch, "incident": batch.incident, "customer": subscription.customer,
            "subscription": subscription,
        }  # fmt: skip
        if n % 3 == 1:
            days = random.randint(30, 90)
            target = midnight + timedelta(days=days)
            made.append(Award(benefit="trial", days=days, trial_end_target=target, **common))
        else:
            amount_minor = random.randint(1, 9_999)
            made.append(
                Award(amount_minor=amount_minor, currency="EUR", benefit="credit", **common)
            )
    return made


def _seed(sandbox: SandboxControl, batch: Batch, random: Random) -> set[int]:
    """Make the customers at Stripe; the awards that it will refuse."""
    refused = {
        award.pk for award in batch.awards.order_by("id") if not random.randrange(ONE_REFUSED_IN)
    }
    records: dict[int, dict[str, Any]] = {}
    for award in batch.awards.select_related("customer", "subscription").order_by("id"):
        subscription: Any = award.subscription
        record = records.setdefault(subscription.pk, _record(subscription))
        if award.pk in refused and award.benefit == "credit":
            record["subscription"]["items"][0]["price_data"]["currency"] = "usd"
        elif award.pk in refused:
            longer = _seconds(award.trial_end_target) + 86_400
            record["subscription"]["trial_end"] = longer
    every = list(records.values())
    for start in range(0, len(every), SEEDED_AT_ONCE):
        sandbox.seed(every[start : start + SEEDED_AT_ONCE])
    return refused


def _record(subscription: Subscription) -> dict[str, Any]:
    price = {
        "currency": "eur",
        "unit_amount": subscription.fee_minor,
        "recurring": {"interval": "month"},
        "product_data": {"name": subscription.plan},
    }
    return {
        "reference": subscription.customer.reference,
        "customer": {"id": subscription.customer.stripe_customer_id},
        "subscription": {
            "id": subscription.stripe_subscription_id,
            "items": [{"price_data": price}],
        },
    }


def _owed(award: Award, refused: set[int]) -> Owed:
    return Owed(
        award=award.pk,
        benefit=award.benefit,
        destination=award.destination,
        amount_minor=award.amount_minor,
        currency=award.currency,
        trial_end=_seconds(award.trial_end_target),
        is_refused=award.pk in refused,
    )


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
