"""One incident under a version, beside the same under another: nothing is written."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language

from backoffice.customers.conditions import ConditionError
from compensation import wording
from compensation.backtesting import in_force
from compensation.explanations import explain
from compensation.forms.backtests import comparable
from compensation.models import Award, PolicyVersion
from compensation.models.award import Exclusion
from compensation.simulation import Simulated, simulate
from incidents.models import Incident, Outage

OFFERED = 200
TEMPLATE = "admin/compensation/backtest/simulation.html"


def simulation_page(
    request: HttpRequest, version: PolicyVersion, context: dict[str, Any]
) -> HttpResponse:
    """`?incident=` (its number or id) and `?against=`; without an incident, which to choose.

    Raises:
        PermissionDenied: who may not see incidents.
    """
    if not request.user.has_perm("incidents.view_incident"):
        raise PermissionDenied
    others = comparable(version)
    against = _chosen(request, version, others)
    incident = _incident(request.GET.get("incident", "").strip())
    context |= {
        "title": str(version),
        "original": version,
        "version": version,
        "against": against,
        "others": others,
        "incident": incident,
        "asked": request.GET.get("incident", ""),
        "offered": _offered(),
    }
    if incident is not None:
        sides = [one for one in (version, against) if one is not None]
        try:
            context |= _figures([simulate(incident, one) for one in sides])
        except ConditionError as error:
            context["problem"] = " ".join(error.messages)
    return TemplateResponse(request, TEMPLATE, context)


def _chosen(request: HttpRequest, version: PolicyVersion, others: Any) -> PolicyVersion | None:
    asked = request.GET.get("against")
    if asked is None:
        return in_force(version)
    found: PolicyVersion | None = others.filter(pk=asked).first() if asked.isdecimal() else None
    return found


def _incident(asked: str) -> Incident | None:
    if not asked:
        return None
    number = asked.split(" ", 1)[0]
    wanted = Q(number__iexact=number)
    if number.isdecimal():
        wanted |= Q(pk=int(number))
    return Incident.objects.filter(wanted).first()


def _offered() -> Any:
    """The newest that could have hit somebody."""
    outages = Outage.objects.filter(incident=OuterRef("pk"))
    hit = Q(Exists(outages)) | Q(affected_customers__gt=0)
    return Incident.objects.filter(hit).order_by("-started_at", "-id")[:OFFERED]


def _figures(sides: list[Simulated]) -> dict[str, Any]:
    totals = [{total.currency: total for total in side.totals} for side in sides]
    reasons = [dict(side.left_out) for side in sides]
    language = get_language() or "en"
    return {
        "sides": sides,
        "totals": [
            (currency, [of.get(currency) for of in totals], _difference(totals, currency))
            for currency in sorted({code for of in totals for code in of})
        ],
        "tables": [(side.version, _rows(side)) for side in sides],
        "left_out": [
            (Exclusion(why).label, [of.get(why, 0) for of in reasons])
            for why in sorted({why for of in reasons for why in of})
        ],
        "largest": [(award, explain(award, language)) for award in sides[0].largest],
    }


def _difference(totals: list[Any], currency: str) -> int | None:
    if len(totals) == 1:
        return None
    ours, theirs = (of[currency].amount_minor if currency in of else 0 for of in totals)
    return int(ours - theirs)


def _rows(side: Simulated) -> list[tuple[Any, ...]]:
    """Each row with its words and what it gives."""
    found: dict[int, list[Any]] = {}
    for row in side.rows:
        found.setdefault(row.position, []).append((row, Award.Benefit(row.benefit).label))
    return [
        (rule, wording.who_and_when(rule), wording.gives(rule, side.version),
         found.get(rule.position, []))
        for rule in side.version.rules.all()
    ]  # fmt: skip
