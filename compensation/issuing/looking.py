"""What Stripe shows now of an award whose outcome is unknown, for a person to decide by."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from backoffice.states import MoveError
from compensation import stripe_calls
from compensation.issuing.orders import trial_marker
from compensation.issuing.sending import CLOCK_MARGIN
from compensation.models import Award
from compensation.stripe_calls import Page, Rejected, Subscription, Transaction

# More than a thousand transactions of one customer since the award was sent are not looked at.
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A balance transaction beside the award: is it ours by its metadata, and right in amount?

    `amount_minor` is positive for a credit; `at` is UTC.
    """

    stripe_id: str
    amount_minor: int
    currency: str
    at: datetime
    is_ours: bool
    is_of_another: bool
    is_right: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """All that Stripe shows; where it refuses to show anything, `refusal` has its words.

    `lines` for a credit, newest first; `trial_end` (UTC) and `is_marked` (ours by its metadata)
    for a trial.
    """

    refusal: str = ""
    lines: tuple[Line, ...] = ()
    is_whole: bool = True
    trial_end: datetime | None = None
    is_marked: bool = False

    @property
    def booked(self) -> str:
        """Stripe's id of what is ours beyond doubt, and right; empty where nothing is."""
        return next((line.stripe_id for line in self.lines if line.is_ours and line.is_right), "")


def look_at_stripe(award: Award) -> Sight:
    """Ask Stripe now: one call or, for a credit among hundreds, a few.

    Raises:
        MoveError: Stripe does not answer, so nothing can be decided by it.
    """
    client = stripe_calls.stripe_client()
    if award.benefit == Award.Benefit.TRIAL:
        return _look_at_subscription(client, award)
    sight, after = Sight(), ""
    for _page in range(MOST_PAGES):
        since = (award.first_sent_at or award.created_at) - CLOCK_MARGIN
        page = stripe_calls.list_transactions(
            client, award.destination, created_from=since, after=after
        )
        if isinstance(page, Rejected):
            return Sight(refusal=page.message)
        if not isinstance(page, Page):
            raise _silence(page)
        lines = tuple(_line(award, each) for each in page.transactions)
        sight = replace(sight, lines=sight.lines + lines, is_whole=not page.has_more)
        if sight.is_whole or not page.transactions:
            break
        after = page.transactions[-1].stripe_id
    return sight


def _look_at_subscription(client: stripe_calls.Client, award: Award) -> Sight:
    seen = stripe_calls.read_subscription(client, award.destination)
    if isinstance(seen, Rejected):
        return Sight(refusal=seen.message)
    if not isinstance(seen, Subscription):
        raise _silence(seen)
    ends = seen.shown_trial_end
    return Sight(
        trial_end=datetime.fromtimestamp(ends, UTC) if ends is not None else None,
        is_marked=trial_marker(award.pk) in seen.metadata,
    )


def _line(award: Award, seen: Transaction) -> Line:
    marked = seen.metadata.get("award", "")
    return Line(
        stripe_id=seen.stripe_id,
        amount_minor=-seen.amount,
        currency=seen.currency.upper(),
        at=datetime.fromtimestamp(seen.created, UTC),
        is_ours=marked == str(award.pk) and "amends_reversal" not in seen.metadata,
        is_of_another=marked not in {"", str(award.pk)},
        is_right=(-seen.amount, seen.currency.upper()) == (award.amount_minor, award.currency),
    )


def _silence(answer: object) -> MoveError:
    words = getattr(answer, "reason", "") or getattr(answer, "message", "") or "too many calls"
    return MoveError(f"Stripe does not answer now ({words}): try again in a minute.")
