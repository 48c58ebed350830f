"""What the page of a batch shows: read here, rendered by its template."""

import json
from typing import Any

from django.db.models import Count, Max
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice import money
from backoffice.display import CHART_TEXT
from compensation import summaries, wording
from compensation.admin.batch_choices import Choice, choices
from compensation.admin.batch_lead import Lead, lead
from compensation.admin.looks import BATCH_LABELS, amounts, award_value, language, number
from compensation.budgets import Fit, fits_of_batch
from compensation.goodwill import already_given
from compensation.issuing import is_stopped
from compensation.issuing.deciding import GIVEN_UP
from compensation.models import Approval, Award, Batch, BatchLook
from compensation.models.award import Exclusion
from compensation.reversing.asking import ASK

State = Batch.State
ISSUING_STATES = (State.APPROVED, State.ISSUING, State.PAUSED, State.ISSUED)
MOVING_STATES = (State.APPROVED, State.ISSUING)
# Above this many awards counting them takes a while, so it is done less often.
MANY = 100_000
LINES_SHOWN = 15
CLAIMS_SHOWN = 50


def page(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """Everything of the page; remembers what the reader has now seen."""
    summary: Any = summaries.summarise(batch)
    approvals = list(
        Approval.objects.filter(batch=batch, withdrawn_at=None)
        .select_related("user")
        .order_by("signed_at")
    )
    issuing = progress(batch) if batch.state in ISSUING_STATES else None
    failed = issuing["retryable"] if issuing else 0
    approvers = [approval.user_id for approval in approvals]
    budgets = _budgets(batch)
    offered = choices(request, batch, summary, failed, approvers)
    said = lead(request, batch, approvals, issuing)
    if _is_over(budgets):
        _block(offered, budgets)
        said = Lead(
            _("A budget is exceeded, see below: leave awards out, or ask for a larger one."), "bad"
        )
    return {
        "batch": batch,
        "label": BATCH_LABELS[batch.state],
        "summary": summary,
        "total": amounts(summary["amounts_minor"]),
        "approvals": approvals,
        "choices": offered,
        "goodwill": _goodwill(batch),
        "lead": said,
        "progress": issuing,
        "groups": _groups(summary, _rules_in_words(batch)),
        "charts": [_chart(currency, spread) for currency, spread in summary["spreads"].items()],
        **_left_out(summary),
        "changes": _changes_since_last_look(request, batch, summary),
        "may_exclude": may_exclude(request, batch),
        **_reversing(request, batch),
        "budgets": budgets,
        "claims": batch.claims.order_by("id")[:CLAIMS_SHOWN],
    }


def _left_out(summary: Any) -> dict[str, int]:
    """Who is held out to measure the effect is no mistake to look into: counted apart."""
    held_out = sum(
        line["awards"] for line in summary["left_out"] if line["exclusion"] == Exclusion.HELD_OUT
    )
    return {
        "left_out": sum(line["awards"] for line in summary["left_out"]) - held_out,
        "held_out": held_out,
    }


def _budgets(batch: Batch) -> list[Fit]:
    """What is left of the budgets, while it can still be decided on."""
    if batch.state not in {State.PRICED, State.SUBMITTED}:
        return []
    return fits_of_batch(batch, at=batch.submitted_at or timezone.now())


def _reversing(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What was asked to be taken back of it, and whether this reader may ask."""
    asked = list(batch.reversal_requests.order_by("-id"))
    is_open = any(row.state in {"asked", "approved"} for row in asked)
    at_rest = batch.state in {State.PAUSED, State.ISSUED}
    return {
        "reversal_requests": asked,
        "may_reverse": at_rest and not is_open and request.user.has_perm(ASK),
    }


def _is_over(budgets: list[Fit]) -> bool:
    return any(fit.left_minor < 0 for fit in budgets)


def _block(offered: list[Choice], budgets: list[Fit]) -> None:
    """Say beforehand what the verb would refuse, and what it would not."""
    narrowest = {
        fit.currency: fit
        for fit in sorted(budgets, key=lambda fit: -fit.free_minor)
        if fit.left_minor < 0
    }
    remedies = " ".join(narrowest[currency].remedy for currency in sorted(narrowest))
    for choice in offered:
        if choice.name in {"submit", "approve"}:
            choice.obstacle = choice.obstacle or _("A budget is exceeded.") + f" {remedies}"


def may_exclude(request: HttpRequest, batch: Batch) -> bool:
    """Goodwill is one award: it is rejected instead."""
    return (
        batch.kind != Batch.Kind.GOODWILL
        and batch.state in {State.PRICED, State.SUBMITTED}
        and request.user.has_perm("compensation.exclude_award")
    )


def progress(batch: Batch) -> dict[str, Any]:
    """How far issuing is, with the reasons of what failed."""
    figures = summaries.awards_progress(batch)
    states = figures["by_state"]
    total = max(figures["total"], 1)
    failed, unknown = states[Award.State.FAILED], states[Award.State.UNKNOWN]
    reasons = failure_reasons(batch) if failed or unknown else []
    issued = states[Award.State.ISSUED] + states[Award.State.REVERSED]
    return {
        **figures,
        "issued": issued,
        "failed": failed,
        "unknown": unknown,
        "waiting": figures["total"] - issued - failed - unknown,
        "reasons": reasons,
        # what a person gave up is not sent again with the others
        "retryable": failed - sum(r["awards"] for r in reasons if r["error_code"] == GIVEN_UP),
        "moves": batch.state in MOVING_STATES,
        "is_stopped": is_stopped(),
        "every_seconds": 5 if figures["total"] > MANY else 2,
        "shares": {
            "issued": 100 * issued / total,
            "failed": 100 * failed / total,
            "unknown": 100 * unknown / total,
        },
    }


def failure_reasons(batch: Batch) -> list[dict[str, Any]]:
    """Failed and unknown awards by their reason, most first, each with one of its messages."""
    lines: Any = (
        Award.objects.filter(batch=batch, state__in=[Award.State.FAILED, Award.State.UNKNOWN])
        .order_by()
        .values("state", "error_code")
        .annotate(awards=Count("id"), message=Max("error_message"))
        .order_by("state", "-awards")
    )
    return list(lines)


def _goodwill(batch: Batch) -> dict[str, Any] | None:
    """What an approver must know of a goodwill batch: for whom, why, and what else they get."""
    if batch.kind != Batch.Kind.GOODWILL:
        return None
    award = batch.awards.select_related("customer", "incident", "given_by").get()
    others = already_given(award.customer, award.incident) if award.incident else []
    return {
        "award": award,
        "value": award_value(award),
        "others": [(other, award_value(other)) for other in others if other.pk != award.pk],
    }


def _rules_in_words(batch: Batch) -> dict[str, str]:
    """Who gets what by each row, keyed by the row's position."""
    version = batch.version
    if version is None:
        return {}
    return {
        str(rule.position): f"{wording.who_and_when(rule)} → {wording.gives(rule, version)}"
        for rule in version.rules.all()
    }


def _groups(summary: Any, rules: dict[str, str]) -> list[dict[str, Any]]:
    """By rule, by plan, by country: each line with its share of the largest one."""
    titles = {
        "by_rule": (_("By rule"), _("Rule")),
        "by_plan": (_("By plan"), _("Plan")),
        "by_country": (_("By country"), _("Country")),
    }
    groups = []
    for name, (title, column) in titles.items():
        largest = max((line["awards"] for line in summary[name]), default=0)
        lines = [
            {
                **line,
                "label": line["label"] or "–",
                "words": [rules[key] for key in line["key"].split("+") if key in rules]
                if name == "by_rule"
                else [],
                "money": amounts(line["amounts_minor"]),
                "share": 100 * line["awards"] / largest,
            }
            for line in summary[name]
        ]
        groups.append(
            {
                "title": title,
                "column": column,
                "lines": lines[:LINES_SHOWN],
                "more": len(lines[LINES_SHOWN:]),
            }
        )
    return groups


def _chart(currency: str, spread: Any) -> dict[str, Any]:
    """A histogram of one currency's credits as unfold's chart component takes it."""
    buckets = {bucket["from_minor"]: bucket for bucket in spread["buckets"]}
    step = spread["buckets"][0]["to_minor"] - spread["buckets"][0]["from_minor"]
    starts = range(min(buckets), max(buckets) + step, step)
    data = {
        "labels": [_span(start, step, currency) for start in starts],
        "datasets": [
            {
                "label": "awards",
                "data": [buckets[s]["awards"] if s in buckets else 0 for s in starts],
                "backgroundColor": "var(--color-primary-500)",
                "maxBarThickness": 48,
            }
        ],
    }
    return {
        "currency": currency,
        "data": json.dumps(data),
        "options": json.dumps(CHART_OPTIONS),
        **{
            name: money.format_money(spread[f"{name}_minor"], currency, language())
            for name in ("smallest", "median", "largest")
        },
    }


CHART_OPTIONS = {
    "animation": False,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"color": CHART_TEXT, "maxRotation": 45}},
        "y": {
            "beginAtZero": True,
            "border": {"display": False},
            "grid": {},
            "ticks": {"color": CHART_TEXT, "precision": 0, "maxTicksLimit": 5},
        },
    },
}


def _span(start: int, step: int, currency: str) -> str:
    low, high = money.to_major(start, currency), money.to_major(start + step, currency)
    return f"{low.normalize():f} – {high.normalize():f}"


def _changes_since_last_look(
    request: HttpRequest, batch: Batch, summary: Any
) -> dict[str, Any] | None:
    """What this reader saw last, where it differs from now; and now becomes what they saw."""
    now = {
        "state": batch.state,
        "awards": summary["awards"],
        "amounts_minor": summary["amounts_minor"],
        "left_out": sum(line["awards"] for line in summary["left_out"]),
    }
    user: Any = request.user
    before = BatchLook.objects.filter(batch=batch, user=user).first()
    BatchLook.objects.update_or_create(
        batch=batch,
        user=user,
        defaults={"seen_at": timezone.now(), "totals": now},
    )
    if before is None:
        return None
    return {"seen_at": before.seen_at, "lines": _differences(before.totals, now)}


def _differences(then: Any, now: Any) -> list[tuple[str, str, str]]:
    """(what, then, now) of all that changed."""
    state = dict(State.choices)
    pairs = [
        (_("State"), str(state.get(then["state"], "")), str(state[now["state"]])),
        (_("Awards"), number(then["awards"]), number(now["awards"])),
        (_("Amount"), amounts(then["amounts_minor"]) or "–", amounts(now["amounts_minor"]) or "–"),
        (_("Left out"), number(then["left_out"]), number(now["left_out"])),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]
