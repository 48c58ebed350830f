"""The answer to a claim in words, in the language and time zone that are active."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.db.models import QuerySet
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from backoffice.display import day, duration, money
from compensation.claims.terms import GIVEN_UP
from compensation.models import Award, Claim
from compensation.models.award import AwardState
from compensation.models.claim import ClaimState, Outcome

_PROMISED = (AwardState.APPROVED, AwardState.SENDING, AwardState.UNKNOWN, AwardState.ISSUED)


def answer_to(claim: Claim) -> list[str]:
    """One paragraph a thought. What is proposed is told as it stands now, the rest as it was."""
    if claim.state == ClaimState.WITH_PERSON:
        return list(_person(claim))
    return list(_WORDS[Outcome(claim.outcome)](claim))


def awards_of(claim: Claim) -> QuerySet[Award]:
    """What batches of its incident hold now for what was claimed."""
    awards = Award.objects.filter(
        incident=claim.incident, subscription=claim.subscription, source=Award.Source.BATCH
    )
    if claim.incident_id is None:
        return awards.none()
    return awards.exclude(batch__state__in=GIVEN_UP).order_by("id")


def benefits_in_words(benefits: list[dict[str, Any]]) -> str:
    """EUR 49.90 and 10 more days of service."""
    return _(" and ").join(map(_benefit, benefits))


def _benefit(benefit: dict[str, Any]) -> str:
    days = benefit["days"]
    if benefit["benefit"] == Award.Benefit.CREDIT:
        return money(benefit["amount_minor"], benefit["currency"])
    if benefit["benefit"] == Award.Benefit.TRIAL:
        words = ngettext("{n} more day of service", "{n} more days of service", days)
    else:
        words = ngettext("{n} day of priority support", "{n} days of priority support", days)
    return words.format(n=days)


def _said(claim: Claim) -> dict[str, str]:
    incident = claim.incident
    return {
        "incident": incident.title if incident else "",
        "day": day(incident.started_at) if incident else day(claim.starts_at),
        "what": benefits_in_words(claim.decision.get("benefits", [])),
    }


def _awarded(claim: Claim) -> Iterator[str]:
    said = _said(claim)
    yield _("We know of it: {incident}, {day}.").format(**said)
    yield _(
        "You get {what} for it. It stands among your credits, with how it was reckoned."
    ).format(**said)


def _counted(claim: Claim) -> Iterator[str]:
    yield from _proposed(claim)


def _proposed(claim: Claim) -> Iterator[str]:
    """As it stands now: the same figure may be approved by now, or never will be."""
    awards = list(awards_of(claim))
    if any(award.state in _PROMISED for award in awards):
        yield from _awarded(claim)
        return
    said = _said(claim)
    yield _("You are right: {incident}, {day}, hit you.").format(**said)
    if any(award.state == AwardState.PROPOSED for award in awards):
        yield _("By our terms you get {what} for it.").format(**said)
        yield _("Our finance department must still approve it. You will find it on this page then.")
    elif claim.outcome == Outcome.COUNTED and not awards:
        yield _("By what we know now, you would get {what} for it.").format(**said)
        yield _("When all is over, it is reckoned for good and approved. You need not do anything.")
    else:
        yield _("It was not approved as it was reckoned. Ask us, and a person looks at it.")


def _nothing(claim: Claim) -> Iterator[str]:
    said = _said(claim)
    yield _("We know of it: {incident}, {day}.").format(**said)
    yield _REASONS[claim.decision["why"]](claim.decision)
    yield _("So by our terms nothing is due for it.")


def _maintenance(facts: dict[str, Any]) -> str:
    return _("It was maintenance that we had announced, which our terms leave out.")


def _partial(facts: dict[str, Any]) -> str:
    return _(
        "It was partly out of order for {time}. Our terms count only what is wholly out of order."
    ).format(time=_time(facts["down_ms"]))


def _short(facts: dict[str, Any]) -> str:
    shortest = _time(Decimal(facts["shortest_minutes"]) * 60_000)
    said = {"time": _time(facts["longest_ms"]), "shortest": shortest}
    if facts["is_exclusive"]:
        return _("It lasted {time}. Our terms count what lasts longer than {shortest}.").format(
            **said
        )
    return _("It lasted {time}. Our terms count what lasts {shortest} or longer.").format(**said)


def _uptime(facts: dict[str, Any]) -> str:
    return _(
        "It lasted {time} of the {period} from {start} to {end}: {uptime} uptime. Our terms "
        "give something below {bound}."
    ).format(
        time=_time(facts["down_ms"]),
        period=_minutes(facts["period_ms"]),
        start=day(_at(facts["period_start"])),
        end=day(_at(facts["period_end"]) - timedelta(microseconds=1)),
        uptime=_percent(facts["uptime"]),
        bound=_percent(facts["bound"]),
    )


def _minutes_missed(facts: dict[str, Any]) -> str:
    return _("It lasted {time}. Our terms give something from {bound} on.").format(
        time=_time(facts["down_ms"]), bound=_time(Decimal(facts["bound"]) * 60_000)
    )


def _allowance(facts: dict[str, Any]) -> str:
    return _("It lasted {time}. Our terms allow for {bound} without a credit.").format(
        time=_time(facts["down_ms"]), bound=_time(Decimal(facts["bound"]) * 60_000)
    )


def _late(claim: Claim) -> Iterator[str]:
    days = claim.decision["claim_days"]
    yield ngettext(
        "Our terms take claims up to {n} day after it ended: until {day}.",
        "Our terms take claims up to {n} days after it ended: until {day}.",
        days,
    ).format(n=days, day=day(_at(claim.decision["deadline"])))
    yield _("If you think that you should get something all the same, write to us.")


def _not_open(claim: Claim) -> Iterator[str]:
    yield _(
        "Here nobody needs to claim: whoever was hit gets what is due by itself, and our terms "
        "know no claims."
    )
    yield _("If something is not right, write to us: a person looks at it.")


def _person(claim: Claim) -> Iterator[str]:
    yield _("Thank you for telling us. A person looks at it and answers you.")
    if claim.ticket_number:
        yield _("Your request has the number {number}.").format(number=claim.ticket_number)


def _accepted(claim: Claim) -> Iterator[str]:
    yield _("We looked at it, and you are right. What you get for it stands among your credits.")


def _declined(claim: Claim) -> Iterator[str]:
    yield _("We looked at it, and could not follow it. Why, stands in your request.")


_WORDS: dict[Outcome, Callable[[Claim], Iterator[str]]] = {
    Outcome.AWARDED: _awarded,
    Outcome.COUNTED: _counted,
    Outcome.PROPOSED: _proposed,
    Outcome.NOTHING_DUE: _nothing,
    Outcome.LATE: _late,
    Outcome.NOT_OPEN: _not_open,
    Outcome.PERSON: _person,
    Outcome.ACCEPTED: _accepted,
    Outcome.DECLINED: _declined,
}
_REASONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "maintenance": _maintenance,
    "partial": _partial,
    "short": _short,
    "uptime": _uptime,
    "minutes": _minutes_missed,
    "allowance": _allowance,
}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time(milliseconds: Decimal | int) -> str:
    """With seconds where whole minutes do not tell: 4 min 30 s."""
    whole = int(milliseconds) // 1000
    minutes, seconds = divmod(whole, 60)
    if not seconds:
        return duration(whole)
    rest = _("{n} s").format(n=seconds)
    return f"{duration(minutes * 60)} {rest}" if minutes else rest


def _minutes(milliseconds: int) -> str:
    n = milliseconds // 60_000
    return ngettext("{n} minute", "{n} minutes", n).format(n=_number(n))


def _percent(value: str) -> str:
    """With the sign, which translators' tools take for a placeholder."""
    return f"{_number(value)} %"


def _number(value: str | int) -> str:
    language = get_language() or "en"
    return str(format_decimal(Decimal(value), locale=language, decimal_quantization=False))
