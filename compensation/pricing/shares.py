"""How much a second of an outage weighs: by its impact, and by the share that it hit."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, OuterRef, Q, Subquery, Value

from backoffice.customers.models import Subscription
from compensation.models import PolicyVersion
from compensation.pricing.terms import CUSTOMERS_SCALE, REQUESTS_SCALE, Terms
from incidents.models import Exposure, Incident


@dataclass(frozen=True)
class Weights:
    """SQL of whole numbers; a second that counts wholly weighs `Terms.scale`.

    `of_outage` is over `o` (outage) and `p` (profile); `of_stated` is the share alone, over `t`
    (stated seconds). `share_told` is the share of customers as an award tells it, or empty.
    """

    of_outage: str
    of_stated: str = "1"
    share_told: str = ""

    @classmethod
    def of(cls, terms: Terms) -> "Weights":
        impact = f"CASE o.impact WHEN 'major' THEN 1000 ELSE {terms.partial_permille} END"
        share = terms.version.affected_share
        if share == PolicyVersion.Share.REQUESTS:
            failed = f"COALESCE(o.affected_percent * {REQUESTS_SCALE // 100}, {REQUESTS_SCALE})"
            return cls(f"({impact}) * ({failed})::bigint", str(REQUESTS_SCALE))
        if share == PolicyVersion.Share.CUSTOMERS:
            return cls._by_customers(terms, impact)
        return cls(f"({impact})::bigint")

    @classmethod
    def _by_customers(cls, terms: Terms, impact: str) -> "Weights":
        shares = dict(terms.known_shares or customers_shares([terms.incident.pk, *terms.others]))
        if terms.customers_share is not None:
            shares[terms.incident.pk] = terms.customers_share
        own = shares[terms.incident.pk]
        whens = " ".join(
            f"WHEN {int(pk)} THEN {int(share * CUSTOMERS_SCALE)}" for pk, share in shares.items()
        )
        return cls(
            f"({impact})::bigint * (CASE p.incident_id {whens} END)",
            f"(CASE t.incident_id {whens} END)",
            f"{own.normalize():f}",
        )


def customers_shares(incidents: list[int]) -> dict[int, Decimal]:
    """The customers an incident hit, as a share of those with a subscription when it began.

    By incident; at most 1, rounded half up to six decimals, and never nothing.
    """
    began = OuterRef("started_at")
    alive = Subscription.objects.with_known_life().filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=began), started_at__lte=began
    )
    there = alive.order_by().annotate(one=Value(1)).values("one").annotate(n=_CUSTOMERS).values("n")
    hit = Exposure.objects.filter(incident=OuterRef("pk")).order_by().values("incident")
    found = Incident.objects.filter(pk__in=incidents).values_list(
        "pk", Subquery(hit.annotate(n=_CUSTOMERS).values("n")), Subquery(there)
    )
    return {pk: share_of(hit or 0, there or 0) for pk, hit, there in found}


_CUSTOMERS = Count("customer_id", distinct=True)


def share_of(hit: int, there: int) -> Decimal:
    """`hit` of `there` customers as `customers_shares` rounds it."""
    if hit >= there:
        return Decimal(1)
    smallest = Decimal(1) / CUSTOMERS_SCALE
    return max(smallest, (Decimal(hit) / there).quantize(smallest, ROUND_HALF_UP))
