"""Trials: ``trial_end`` moves the billing anchor, at most two years ahead.

Source: https://docs.stripe.com/api/subscriptions/update and /billing/subscriptions/trials
"""

from backoffice.stripe_sandbox import periods
from backoffice.stripe_sandbox.errors import invalid
from backoffice.stripe_sandbox.store import StripeObject
from backoffice.stripe_sandbox.world import World

LONGEST_SECONDS = 730 * 86_400
"""Two years, the most that a trial may reach into the future."""


def checked_end(trial_end: int | str, now: int) -> int:
    """Unix seconds; ``now`` is taken as the present. Refused in the past and beyond two years."""
    if isinstance(trial_end, str):
        return now
    if trial_end <= now:
        raise invalid(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end"
        )
    if trial_end > now + LONGEST_SECONDS:
        raise invalid(
            "Invalid timestamp: can be no more than two years in the future.", "trial_end"
        )
    return trial_end


def set_trial(subscription: StripeObject, trial_end: int, now: int) -> None:
    """Status, anchor and the items' period follow the end of the trial."""
    if subscription["status"] != "trialing":
        subscription["trial_start"] = now
    subscription["trial_end"] = trial_end
    subscription["billing_cycle_anchor"] = trial_end
    subscription["status"] = "trialing" if trial_end > now else "active"
    for item in subscription["items"]["data"]:
        item["current_period_start"] = subscription["trial_start"]
        item["current_period_end"] = trial_end
    settle(subscription, now)


def change_trial(
    world: World, subscription: StripeObject, trial_end: int | str, proration: str
) -> None:
    """Set another end on a running subscription, and note it for the sandbox's own totals."""
    now = world.now()
    old_end = subscription["trial_end"] if subscription["status"] == "trialing" else None
    new_end = checked_end(trial_end, now)
    set_trial(subscription, new_end, now)
    world.store.execute(
        "INSERT INTO trial_updates (subscription, at, old_end, new_end, extended, prorated) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            subscription["id"],
            now,
            old_end,
            new_end,
            new_end > (old_end or now),
            proration != "none",
        ),
    )


def settle(subscription: StripeObject, now: int) -> None:
    """Bring a subscription as stored to how it stands now: trials end, periods move on."""
    if subscription["status"] == "trialing" and subscription["trial_end"] <= now:
        subscription["status"] = "active"
    if subscription["status"] != "active":
        return
    for item in subscription["items"]["data"]:
        if item["current_period_end"] <= now:
            start, end = periods.around(
                subscription["billing_cycle_anchor"], item["price"]["recurring"], now
            )
            item["current_period_start"], item["current_period_end"] = start, end
