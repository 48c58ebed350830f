"""What is sent to Stripe for an award: the same bytes, however often."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from compensation.models import Award

# Stripe may forget a key after 24 hours, and would then execute it again
# (https://docs.stripe.com/api/idempotent_requests): an hour less is safe for slow clocks.
KEY_IS_SAFE_FOR = timedelta(hours=23)
# What was sent under a key in its last safe moment has come to an end, one way or another, when
# this much more has passed: only from then on does a list that lacks it prove that it is not there.
LONGEST_CALL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Order:
    """One call that books one award, as it is stored before it is made.

    `is_fresh`: claimed just now under a key that was never sent, so it can still be taken back.
    """

    award: int
    batch: int | None
    benefit: str
    destination: str
    parameters: dict[str, Any]
    key: str
    first_sent_at: datetime
    attempt: int
    is_fresh: bool

    @property
    def path(self) -> str:
        if self.benefit == Award.Benefit.TRIAL:
            return f"/v1/subscriptions/{self.destination}"
        return f"/v1/customers/{self.destination}/balance_transactions"

    def parameters_hash(self) -> str:
        """The SHA-256 (hex) over method, path and parameters as canonical JSON."""
        text = json.dumps(
            ["POST", self.path, self.parameters], sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def key_is_safe(self, now: datetime) -> bool:
        """Whether Stripe still knows the key, so that sending it again executes nothing twice."""
        return now < self.first_sent_at + KEY_IS_SAFE_FOR

    def absence_is_proof(self, now: datetime) -> bool:
        """Whether no call under this key can still be on its way or at work at Stripe."""
        return now >= self.first_sent_at + KEY_IS_SAFE_FOR + LONGEST_CALL


def order_for(award: Award, *, key: str, first_sent_at: datetime, is_fresh: bool) -> Order:
    """The order for `award`, from nothing but what is frozen (reads its incident's number)."""
    parameters = _trial(award) if award.benefit == Award.Benefit.TRIAL else _credit(award)
    return Order(
        award=award.pk,
        batch=award.batch_id,
        benefit=award.benefit,
        destination=award.destination,
        parameters=parameters,
        key=key,
        first_sent_at=first_sent_at,
        attempt=award.attempt,
        is_fresh=is_fresh,
    )


def new_key(award: int, attempt: int) -> str:
    """Never the same twice, so that no key of another database can replay into this one."""
    return f"award-{award}-{attempt}-{secrets.token_hex(8)}"


def trial_marker(award: int) -> str:
    """The metadata key that says a subscription's trial was extended for this award.

    One key an award: a second extension must not wipe out the proof of the first.
    """
    return f"amends_award_{award}"


def _credit(award: Award) -> dict[str, Any]:
    """Negative is a credit (https://docs.stripe.com/billing/customer/balance)."""
    number = award.incident.number if award.incident else ""
    metadata = {"award": str(award.pk)}
    if number:
        metadata["incident"] = number
    if award.origin:
        metadata["ticket"] = award.origin
    description = f"Credit for {number}" if number else "Goodwill credit"
    if award.source == Award.Source.GOODWILL and award.origin:
        description = f"Goodwill credit, ticket {award.origin}"
    return {
        "amount": -award.amount_minor,
        "currency": award.currency.lower(),
        "description": description,
        "metadata": metadata,
    }


def _trial(award: Award) -> dict[str, Any]:
    """Without `none` Stripe would also credit time already paid for."""
    target = award.trial_end_target or datetime.fromtimestamp(0, UTC)
    seconds = int(target.timestamp())
    return {
        "trial_end": seconds,
        "proration_behavior": "none",
        "metadata": {trial_marker(award.pk): str(seconds)},
    }
