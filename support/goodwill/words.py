"""What is given, in words for colleagues."""

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from backoffice.display import day
from backoffice.money import format_money
from compensation.models import Award, Batch
from support.models import Goodwill

State = Award.State


def value_in_words(benefit: str, value: int, currency: str) -> str:
    """EUR 25.00, or 14 days."""
    if benefit == Award.Benefit.CREDIT:
        return format_money(value, currency, _language())
    return ngettext("{n} day", "{n} days", value).format(n=value)


def benefit_in_words(award: Award) -> str:
    """EUR 20.00 credit; 14 more days of service, until 5 December."""
    if award.benefit == Award.Benefit.CREDIT:
        amount = format_money(award.amount_minor, award.currency, _language())
        return _("{amount} credit").format(amount=amount)
    if award.benefit == Award.Benefit.TRIAL:
        said = ngettext("{n} more day of service", "{n} more days of service", award.days)
        until = award.trial_end_target
    else:
        said = ngettext("{n} day of priority support", "{n} days of priority support", award.days)
        until = award.priority_until
    said = said.format(n=award.days)
    return _("{what} until {day}").format(what=said, day=day(until)) if until else said


def state_in_words(award: Award) -> str:
    """Where an award stands, as an agent may tell it. Read with its batch."""
    batch = award.batch
    if award.state == State.PROPOSED and batch is not None:
        return {
            Batch.State.REJECTED: _("rejected by finance in batch {number}"),
            Batch.State.CANCELLED: _("cancelled with batch {number}"),
            Batch.State.SUBMITTED: _("waits for finance in batch {number}"),
        }.get(Batch.State(batch.state), _("not submitted yet, batch {number}")).format(
            number=batch.number
        )
    if award.state == State.PROPOSED:
        return _("expected under the default policy")
    return {
        State.APPROVED: _("approved, on its way"),
        State.SENDING: _("approved, on its way"),
        State.ISSUED: _("issued"),
        State.FAILED: _("failed: finance sees to it"),
        State.UNKNOWN: _("approved, Stripe's answer is awaited"),
        State.REVERSED: _("taken back"),
        State.EXCLUDED: _("left out"),
    }.get(State(award.state), str(award.get_state_display()))


def done_in_words(given: Goodwill) -> str:
    """What giving did."""
    if given.award is None:
        return ""
    said = benefit_in_words(given.award)
    if given.batch is not None:
        return _("{what}: finance decides, in batch {number}.").format(
            what=said, number=given.batch.number
        )
    return _("{what}: given, it is issued now.").format(what=said)


def _language() -> str:
    return (get_language() or "en")[:2]
