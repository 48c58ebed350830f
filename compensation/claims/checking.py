"""A claim held against the outages, what its customer uses, and what was awarded."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from backoffice.customers.conditions import ConditionError
from compensation.caps import default_version
from compensation.claims.placing import left_out_for, place
from compensation.claims.reckoning import why_nothing
from compensation.claims.terms import GIVEN_UP, terms_of, version_at
from compensation.drafts import LOOKED_AFTER
from compensation.models import Award, Batch, Claim, PolicyVersion
from compensation.models.award import AwardState, Exclusion
from compensation.models.claim import Outcome
from compensation.pricing import expected
from incidents.cohorts.single import count_in
from incidents.cohorts.spans import Span, lived_spans, outages_of
from incidents.models import Incident, Outage

# The list of an incident on which those stand whom no cohort of its had.
COHORT = "Claims"
# Who says it lasted longer than we know, by more than this and more than twice, is heard by a
# person: people round, and remember to the hour.
DISAGREES_BY = timedelta(hours=1)
_PROMISED = (AwardState.APPROVED, AwardState.SENDING, AwardState.UNKNOWN, AwardState.ISSUED)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a claim comes to, and the facts (JSON) that its answer is written from."""

    outcome: str
    incident: Incident | None = None
    version: PolicyVersion | None = None
    batch: Batch | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    """One claim against one incident that hit its subscription."""

    claim: Claim
    incident: Incident
    version: PolicyVersion
    spans: list[Span]

    def decide(self, outcome: str, batch: Batch | None = None, **data: Any) -> Decision:
        facts = {"spans": [[_iso(each.start), _iso(each.end)] for each in self.spans]}
        return Decision(outcome, self.incident, self.version, batch, facts | data)

    def ask(self, why: str, **data: Any) -> Decision:
        return self.decide(Outcome.PERSON, why=why, **data)


def decide(claim: Claim) -> Decision:
    """What the data say to `claim`; a person decides where they do not say enough.

    A subscription that was hit and is in no cohort is counted in, and what its policy gives is
    proposed to finance; nothing is ever approved here. Call it in the transaction that keeps the
    answer.
    """
    if claim.subscription is None:
        return _ask(claim, "no_subscription")
    hits = _hits(claim)
    if not hits:
        return _ask_in_time(claim, "no_outage")
    component = claim.component_id
    own = [outage for outage in hits if component in {None, outage.component_id}]
    incidents = {outage.incident_id: outage.incident for outage in own or hits}
    first = next(iter(incidents.values()))
    if not own:
        return _ask(claim, "other_component", first)
    if len(incidents) > 1:
        return _ask(claim, "several", first, incidents=[i.number for i in incidents.values()])
    version = terms_of(first)
    if version is None:
        return _ask(claim, "no_policy", first)
    return _decide_case(_Case(claim, first, version, _spans(claim, first)))


def _decide_case(case: _Case) -> Decision:
    if _disagrees(case):
        return case.ask("longer")
    if (found := _already(case)) is not None:
        return found
    if (refused := _out_of_time(case)) is not None:
        return refused
    if case.incident.kind == Incident.Kind.MAINTENANCE and not case.version.counts_maintenance:
        return case.decide(Outcome.NOTHING_DUE, why="maintenance")
    return _price(case)


# --- what hit them -------------------------------------------------------------------------------


def _hits(claim: Claim) -> list[Outage]:
    """The outages of what the subscription uses, in the time that is claimed."""
    assert claim.subscription is not None  # noqa: S101 - asked before
    runs = Q(ends_at=None) | Q(ends_at__gt=claim.starts_at)
    outages = outages_of(claim.subscription).filter(runs, starts_at__lt=claim.ends_at)
    return [each for each in outages.order_by("starts_at", "id") if _overlaps(claim, [each])]


def _overlaps(claim: Claim, outages: Iterable[Outage]) -> bool:
    assert claim.subscription is not None  # noqa: S101
    spans = lived_spans(claim.subscription, outages, until=timezone.now())
    return any(span.start < claim.ends_at and span.end > claim.starts_at for span in spans)


def _spans(claim: Claim, incident: Incident) -> list[Span]:
    assert claim.subscription is not None  # noqa: S101
    outages = outages_of(claim.subscription).filter(incident=incident)
    return lived_spans(claim.subscription, outages, until=timezone.now())


def _disagrees(case: _Case) -> bool:
    """They say that it was much longer than we know."""
    claim = case.claim
    covered = sum(
        (
            max(min(span.end, claim.ends_at) - max(span.start, claim.starts_at), timedelta(0))
            for span in case.spans
        ),
        timedelta(0),
    )
    claimed = claim.ends_at - claim.starts_at
    return claimed - covered > DISAGREES_BY and claimed > 2 * covered


# --- what there is, and whether it is in time ----------------------------------------------------


def _already(case: _Case) -> Decision | None:
    """What the incident's batches hold for the subscription."""
    awards = list(
        Award.objects.filter(
            incident=case.incident,
            subscription=case.claim.subscription,
            source=Award.Source.BATCH,
        )
        .exclude(batch__state__in=GIVEN_UP)
        .select_related("batch")
        .order_by("id")
    )
    promised = [award for award in awards if award.state in _PROMISED]
    if promised:
        return case.decide(Outcome.AWARDED, benefits=benefits_of(promised))
    proposed = [award for award in awards if award.state == AwardState.PROPOSED]
    if proposed:
        return case.decide(Outcome.PROPOSED, benefits=benefits_of(proposed))
    for award in awards:
        if award.state != AwardState.EXCLUDED:
            return case.ask(award.state)
        if award.exclusion != Exclusion.ALREADY_AWARDED:
            return case.ask(award.exclusion)
    return None


def benefits_of(awards: Iterable[Award]) -> list[dict[str, Any]]:
    """Amounts in minor units of their currency, or days."""
    return [
        {
            "benefit": str(award.benefit),
            "amount_minor": award.amount_minor,
            "currency": award.currency,
            "days": award.days,
        }
        for award in awards
    ]


def _out_of_time(case: _Case) -> Decision | None:
    if case.version.claim_days is None:
        return case.decide(Outcome.NOT_OPEN)
    last = max(span.end for span in case.spans)
    deadline = _deadline(case.version.claim_days, max(last, case.claim.ends_at))
    if timezone.now() <= deadline:
        return None
    return case.decide(Outcome.LATE, claim_days=case.version.claim_days, deadline=_iso(deadline))


def _ask_in_time(claim: Claim, why: str) -> Decision:
    """For a person, if what was promised then still takes claims; else it is too late."""
    version = version_at(claim.starts_at)
    if version is None:
        return _ask(claim, why)
    if version.claim_days is None:
        return Decision(Outcome.NOT_OPEN, version=version)
    deadline = _deadline(version.claim_days, claim.ends_at)
    if timezone.now() > deadline:
        data = {"claim_days": version.claim_days, "deadline": _iso(deadline)}
        return Decision(Outcome.LATE, version=version, data=data)
    return Decision(Outcome.PERSON, version=version, data=_facts(claim, why))


def _deadline(claim_days: int, end: datetime) -> datetime:
    """Windows beyond the end of time last until then."""
    try:
        return end + timedelta(days=claim_days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _ask(claim: Claim, why: str, incident: Incident | None = None, **data: Any) -> Decision:
    return Decision(Outcome.PERSON, incident, data=_facts(claim, why) | data)


def _facts(claim: Claim, why: str) -> dict[str, Any]:
    """What a person needs to know first, beside the claim itself."""
    subscription, component = claim.subscription, claim.component
    uses = (
        subscription is not None
        and component is not None
        and subscription.component_uses.filter(component=component).exists()
    )
    return {"why": why, "uses_component": uses if component is not None else None}


# --- what it is worth ----------------------------------------------------------------------------


def _price(case: _Case) -> Decision:
    """Counted in if need be, then priced by the statement that prices everybody."""
    subscription = case.claim.subscription
    assert subscription is not None  # noqa: S101
    try:
        exposure = count_in(
            case.incident, subscription, cohort_name=COHORT, reason=f"claim {case.claim}"
        )
        if exposure is None:
            return case.ask("not_hit")
        priced = expected(case.claim.customer, case.incident, case.version)
    except ConditionError:
        return case.ask("broken_terms")
    awards = [award for award in priced if award.subscription_id == subscription.pk]
    if not awards:
        return _give_nothing(case)
    if case.incident.is_running or _draft_comes(case.incident):
        return case.decide(Outcome.COUNTED, benefits=benefits_of(awards))
    return _propose(case)


def _give_nothing(case: _Case) -> Decision:
    subscription = case.claim.subscription
    assert subscription is not None  # noqa: S101
    nothing = why_nothing(case.version, case.incident, subscription, case.spans)
    if nothing is None:
        return case.ask(left_out_for(case.claim, case.incident, case.version) or "unexplained")
    return case.decide(Outcome.NOTHING_DUE, **nothing)


def _propose(case: _Case) -> Decision:
    batch = place(case.claim, case.incident, case.version)
    own = list(batch.awards.filter(subscription=case.claim.subscription).order_by("id"))
    proposed = [award for award in own if award.state == AwardState.PROPOSED]
    if not proposed:
        return case.ask(own[0].exclusion if own else "unexplained")
    return case.decide(Outcome.PROPOSED, batch, benefits=benefits_of(proposed))


def _draft_comes(incident: Incident) -> bool:
    """Over a moment ago: the batch for everybody, which drafts itself, will hold it."""
    is_fresh = (
        incident.resolved_at is not None and incident.resolved_at > timezone.now() - LOOKED_AFTER
    )
    drafted = incident.batches.filter(kind=Batch.Kind.INCIDENT).exists()
    return is_fresh and not drafted and default_version() is not None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
