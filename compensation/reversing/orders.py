"""What is sent to Stripe for a reversal: the same bytes, however often."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from compensation.issuing.orders import KEY_IS_SAFE_FOR, LONGEST_CALL
from compensation.models import Award, Reversal

# So a transaction or a subscription says which reversal of ours it belongs to.
MARKER = "amends_reversal"


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """One call that takes one award back, as it is stored before it is made.

    `is_fresh`: its key was never sent, so it can still be called off. `attempt` counts who had it
    in hand: what an earlier one has to say is not heard any more. `given_trial_end` (Unix seconds)
    is the date that the award set, for trials.
    """

    reversal: int
    award: int
    destination: str
    parameters: dict[str, Any]
    key: str
    first_sent_at: datetime
    attempt: int
    is_fresh: bool
    given_trial_end: int | None = None

    @property
    def is_trial(self) -> bool:
        return self.given_trial_end is not None

    @property
    def path(self) -> str:
        if self.is_trial:
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


def new_key(reversal: int, attempt: int) -> str:
    """Never the same twice, so that no key of another database can replay into this one."""
    return f"reversal-{reversal}-{attempt}-{secrets.token_hex(8)}"


def order_for(
    reversal: Reversal, *, key: str, first_sent_at: datetime, is_fresh: bool
) -> ReversalOrder:
    """The order for `reversal`, from what is stored on it and on its award (with its incident)."""
    award = reversal.award
    is_trial = award.benefit == Award.Benefit.TRIAL
    target = award.trial_end_target
    return ReversalOrder(
        reversal=reversal.pk,
        award=award.pk,
        destination=award.destination,
        parameters=_trial(reversal) if is_trial else _debit(reversal),
        key=key,
        first_sent_at=first_sent_at,
        attempt=reversal.attempt,
        is_fresh=is_fresh,
        given_trial_end=int(target.timestamp()) if is_trial and target else None,
    )


def trial_end_before(award: Award) -> datetime | None:
    """When the trial would have ended without `award` (UTC).

    What Stripe said just before it was extended, if that was read and kept. Otherwise what the
    promise was counted from, which was the latest of the trial's end, the time paid for and the
    moment of pricing: its target less its days.
    """
    if award.trial_end_before is not None or award.trial_end_target is None:
        return award.trial_end_before
    return award.trial_end_target - timedelta(days=award.days)


def trial_reversal_marker(award: int) -> str:
    """The subscription's metadata key that says that this award's extension was taken back."""
    return f"{MARKER}_{award}"


def _debit(reversal: Reversal) -> dict[str, Any]:
    """Positive is a debit (https://docs.stripe.com/billing/customer/balance)."""
    award = reversal.award
    number = award.incident.number if award.incident else ""
    metadata = {"award": str(award.pk), MARKER: str(reversal.pk)}
    if number:
        metadata["incident"] = number
    of = f"credit for {number}" if number else "goodwill credit"
    return {
        "amount": reversal.amount_minor,
        "currency": reversal.currency.lower(),
        "description": f"Reversal of {of}",
        "metadata": metadata,
    }


def _trial(reversal: Reversal) -> dict[str, Any]:
    """Without `none` Stripe would settle time already paid for."""
    seconds = int(reversal.trial_end.timestamp()) if reversal.trial_end else 0
    return {
        "trial_end": seconds,
        "proration_behavior": "none",
        "metadata": {
            trial_reversal_marker(reversal.award_id): f"{reversal.pk} {seconds}",
        },
    }
