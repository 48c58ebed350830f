"""Filing a claim: checked, kept, and answered in one go."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.customers.models import Component, Customer, Subscription
from backoffice.states import history, move
from compensation.claims.checking import Decision, decide
from compensation.models import Claim
from compensation.models.claim import ClaimState, Outcome
from compensation.signals import claim_needs_person

LONGEST_TEXT = 5000
LONGEST = timedelta(days=31)
# Older ones nobody could check any more.
OLDEST = timedelta(days=3 * 366)
CLOCKS_DIFFER = timedelta(minutes=5)
# So many in a day: a person has fewer, and a machine is stopped.
MOST_A_DAY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaim:
    """What a customer says. Times are aware; no `ends_at`: it still goes on.

    `key` is chosen by the caller: the same key is one claim. `api_key` names the key of the host
    product that claims for the customer.
    """

    customer: Customer
    starts_at: datetime
    key: str
    subscription: Subscription | None = None
    component: Component | None = None
    ends_at: datetime | None = None
    text: str = ""
    api_key: str = ""


class ClaimedBeforeError(ValidationError):
    """This time was claimed before, in `claim`."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        words = _("You have told us of this time already: %(number)s.") % {"number": claim.number}
        super().__init__({"starts_at": words})


def file_claim(new: NewClaim) -> Claim:
    """Keep the claim with its answer. Where a person must look, `claim_needs_person` is sent.

    Raises:
        ValidationError: a field is wrong, or they claimed too often today.
        ClaimedBeforeError: they claimed the same time for the same thing before.
    """
    with transaction.atomic(), history(by=None, reason="claimed", key=new.api_key):
        # of two at a time the second sees the first
        Customer.objects.select_for_update(no_key=True).get(pk=new.customer.pk)
        if (known := Claim.objects.filter(key=_key(new)).first()) is not None:
            return known
        claim = _checked(new)
        _check_not_too_often(claim)
        _check_not_claimed(claim)
        claim.save(force_insert=True)
        answer(claim, decide(claim))
    return claim


def answer(claim: Claim, decision: Decision) -> None:
    """Keep what was decided, and hand it to a person where the data do not decide."""
    is_for_person = decision.outcome == Outcome.PERSON
    move(
        claim,
        ClaimState.WITH_PERSON if is_for_person else ClaimState.ANSWERED,
        by=None,
        reason=f"claim {claim.number}: {decision.data.get('why', decision.outcome)}",
        outcome=decision.outcome,
        decision=decision.data,
        incident=decision.incident,
        version=decision.version,
        batch=decision.batch,
        decided_at=None if is_for_person else timezone.now(),
    )
    if is_for_person:
        claim_needs_person.send(sender=Claim, claim=claim)


def _key(new: NewClaim) -> str:
    return f"{new.customer.pk}:{new.key}"[:100]


def _checked(new: NewClaim) -> Claim:
    """Not saved."""
    now = timezone.now()
    ends_at = new.ends_at or now
    problems = _problems_of_time(new.starts_at, ends_at, now)
    if len(new.text) > LONGEST_TEXT:
        problems["text"] = _("Keep it below {n} characters.").format(n=LONGEST_TEXT)
    if new.subscription is not None and new.subscription.customer_id != new.customer.pk:
        problems["subscription"] = _("This is another customer's subscription.")
    if problems:
        raise ValidationError(problems)
    return Claim(
        customer=new.customer,
        subscription=new.subscription,
        component=new.component,
        starts_at=new.starts_at.astimezone(UTC),
        ends_at=ends_at.astimezone(UTC),
        goes_on=new.ends_at is None,
        text=new.text.strip(),
        created_by_key=new.api_key,
        key=_key(new),
    )


def _problems_of_time(starts_at: datetime, ends_at: datetime, now: datetime) -> dict[str, str]:
    """The first that is wrong, by its field."""
    if starts_at >= now:
        return {"starts_at": _("That is in the future: say when it began.")}
    if starts_at < now - OLDEST:
        return {"starts_at": _("That is too long ago for us to check: please write to us.")}
    if ends_at > now + CLOCKS_DIFFER:
        return {"ends_at": _("That is in the future: leave it empty if it still goes on.")}
    if ends_at <= starts_at:
        return {"ends_at": _("It must end after it began.")}
    if ends_at - starts_at > LONGEST:
        return {"ends_at": _("That is more than a month: claim the days that it failed.")}
    return {}


def _check_not_too_often(claim: Claim) -> None:
    since = timezone.now() - timedelta(days=1)
    if claim.customer.claims.filter(created_at__gte=since).count() >= MOST_A_DAY:
        raise ValidationError(
            _("You told us of {n} failures today: please write to us about any other.").format(
                n=MOST_A_DAY
            )
        )


def _check_not_claimed(claim: Claim) -> None:
    """Not again the same time of the same thing; what is unsaid is the same as anything."""
    before = claim.customer.claims.filter(
        subscription=claim.subscription,
        starts_at__lt=claim.ends_at,
        ends_at__gt=claim.starts_at,
    )
    for each in before.order_by("-id"):
        if None in {each.component_id, claim.component_id} or (
            each.component_id == claim.component_id
        ):
            raise ClaimedBeforeError(each)
