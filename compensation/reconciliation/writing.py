"""Findings, written down: the same difference stays the same finding, and what is gone closes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from backoffice.states import history
from compensation.models import Finding, ReconciliationRun
from compensation.reconciliation.differences import Comparison, Difference, Line

LIVING = (Finding.State.OPEN, Finding.State.ACKNOWLEDGED)
_FIGURES = (
    "currency", "ours_minor", "stripe_minor", "stripe_currency", "our_date", "stripe_date",
)  # fmt: skip
_CHANGED = (
    *_FIGURES, "award_id", "difference_minor", "detail", "state", "last_run", "seen_at",
    "closed_at",
)  # fmt: skip


@dataclass(slots=True)
class Written:
    """How many findings are new (or back), were found again, and are gone."""

    found: int = 0
    seen_again: int = 0
    closed: int = 0


def write_findings(run: ReconciliationRun, comparisons: Sequence[Comparison]) -> Written:
    """Bring the findings of the compared customers up to date. Belongs into a transaction.

    Adds to the comparisons' lines what of the found people have accepted.
    """
    written = Written()
    differences = {each.identity: each for one in comparisons for each in one.differences}
    with history(by=None, reason=f"reconciliation {run.pk}"):
        kept = _living_or_named(comparisons, list(differences))
        lines = {one.customer: one.lines for one in comparisons}
        for finding in kept.values():
            difference = differences.pop(finding.identity, None)
            if difference is None:
                _close(finding, written)
            else:
                _see_again(finding, difference, run, written)
                _count_accepted(finding, difference, lines[difference.customer])
        Finding.objects.bulk_update(kept.values(), list(_CHANGED), batch_size=500)
        new = [_new(each, run) for each in differences.values()]
        Finding.objects.bulk_create(new)
    written.found += len(new)
    return written


def _living_or_named(
    comparisons: Sequence[Comparison], identities: Sequence[str]
) -> dict[str, Finding]:
    living = Finding.objects.filter(
        customer__in=[one.customer for one in comparisons], state__in=LIVING
    )
    named = Finding.objects.filter(identity__in=identities)
    found = [
        *living.select_for_update(of=("self",)).order_by("id"),
        *named.select_for_update(of=("self",)).order_by("id"),
    ]
    return {finding.identity: finding for finding in found}


def _close(finding: Finding, written: Written) -> None:
    finding.state, finding.closed_at = Finding.State.CLOSED, timezone.now()
    written.closed += 1


def _see_again(
    finding: Finding, difference: Difference, run: ReconciliationRun, written: Written
) -> None:
    """What is back is open again; so is what was accepted with other figures."""
    is_changed = any(getattr(finding, name) != getattr(difference, name) for name in _FIGURES)
    if finding.state == Finding.State.CLOSED:
        written.found += 1
        finding.state = Finding.State.OPEN
    else:
        written.seen_again += 1
        if is_changed:
            finding.state = Finding.State.OPEN
    for name in _FIGURES:
        setattr(finding, name, getattr(difference, name))
    finding.award_id = difference.award
    finding.difference_minor = difference.difference_minor
    finding.detail = difference.detail
    finding.last_run, finding.seen_at, finding.closed_at = run, timezone.now(), None


def _count_accepted(finding: Finding, difference: Difference, lines: dict[str, Line]) -> None:
    if finding.state == Finding.State.ACKNOWLEDGED:
        for currency, effect in difference.effects().items():
            lines[currency].accepted += effect


def _new(difference: Difference, run: ReconciliationRun) -> Finding:
    now = timezone.now()
    return Finding(
        identity=difference.identity,
        kind=difference.kind,
        customer_id=difference.customer,
        award_id=difference.award,
        stripe_id=difference.stripe_id,
        stripe_customer=difference.stripe_customer,
        difference_minor=difference.difference_minor,
        detail=difference.detail,
        first_run=run,
        last_run=run,
        found_at=now,
        seen_at=now,
        **{name: getattr(difference, name) for name in _FIGURES},
    )
