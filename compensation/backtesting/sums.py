"""What a backtest found: by month, in all, and for whom the two versions differ most.

Amounts are in minor units. The sides are `ours` (the version that is tested) and `theirs`.
"""

from typing import Any

from django.db import connection

SIDES = ("ours", "theirs")
# Of each currency and direction; the page shows the first few, the file has all.
DIFFERENCES = 50
# Slices; so long each customer's rows of them stand one beside the other.
ADD_UP_AFTER = 12

MAKE_TOTALS = """
CREATE TEMP TABLE backtest_total (customer_id bigint, currency text, ours bigint, theirs bigint)
"""
_MONTHS = """
SELECT month, currency, side, sum(total * k.size)::bigint, sum(awards * k.size)::bigint,
    sum(k.size)::bigint, max(largest)
FROM (
    SELECT date_trunc('month', i.started_at, 'UTC') AS month, g.currency, g.side, g.customer_id,
        sum(g.amount_minor) AS total, count(*) AS awards, max(g.amount_minor) AS largest
    FROM backtest_given g JOIN incidents_incident i ON i.id = g.incident_id
    WHERE g.exclusion = '' AND g.benefit = 'credit'
    GROUP BY 1, 2, 3, 4
) g JOIN backtest_class k ON k.customer_id = g.customer_id
GROUP BY 1, 2, 3
"""
_LARGEST = """
SELECT DISTINCT ON (g.currency, g.side) g.currency, g.side, g.amount_minor, g.customer_id,
    g.incident_id
FROM backtest_given g WHERE g.exclusion = '' AND g.benefit = 'credit'
ORDER BY g.currency, g.side, g.amount_minor DESC, g.incident_id, g.customer_id
"""
_OTHERS = """
SELECT g.side, g.benefit, g.exclusion, sum(k.size)::bigint, sum(g.days * k.size)::bigint
FROM backtest_given g JOIN backtest_class k ON k.customer_id = g.customer_id
GROUP BY 1, 2, 3
"""
_ADD_TO_TOTALS = """
INSERT INTO backtest_total
SELECT m.customer_id, g.currency, g.ours, g.theirs FROM (
    SELECT customer_id, currency,
        COALESCE(sum(amount_minor) FILTER (WHERE side = 0), 0) AS ours,
        COALESCE(sum(amount_minor) FILTER (WHERE side = 1), 0) AS theirs
    FROM backtest_given WHERE exclusion = '' AND benefit = 'credit' GROUP BY 1, 2
) g JOIN backtest_class k ON k.customer_id = g.customer_id
JOIN backtest_member m ON m.key = k.key;
TRUNCATE backtest_given
"""
# One row a customer and currency again.
_ADD_UP = """
CREATE TEMP TABLE backtest_next AS
SELECT customer_id, currency, sum(ours)::bigint AS ours, sum(theirs)::bigint AS theirs
FROM backtest_total GROUP BY customer_id, currency;
DROP TABLE backtest_total;
ALTER TABLE backtest_next RENAME TO backtest_total
"""
_TOTALS = """
SELECT currency, sum(ours)::bigint, sum(theirs)::bigint, count(*) FILTER (WHERE ours > 0),
    count(*) FILTER (WHERE theirs > 0), count(*) FILTER (WHERE ours > theirs),
    count(*) FILTER (WHERE ours < theirs)
FROM backtest_total GROUP BY currency ORDER BY currency
"""
_COMPENSATED = """
SELECT count(DISTINCT customer_id) FILTER (WHERE ours > 0),
    count(DISTINCT customer_id) FILTER (WHERE theirs > 0)
FROM backtest_total
"""
_DIFFERENCES = """
SELECT customer_id, currency, ours, theirs FROM (
    SELECT *, row_number() OVER (
        PARTITION BY currency, ours > theirs ORDER BY abs(ours - theirs) DESC, customer_id
    ) AS place
    FROM backtest_total WHERE ours <> theirs
) AS t WHERE place <= %s ORDER BY currency, ours - theirs DESC, customer_id
"""


class Sums:
    """Adds one slice of time after another. What it keeps does not grow with the customers."""

    def __init__(self) -> None:
        self.slices = 0
        self.months: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
        self.largest: dict[str, dict[str, dict[str, int]]] = {}
        self.left_out: dict[str, dict[str, int]] = {side: {} for side in SIDES}
        self.days: dict[str, dict[str, dict[str, int]]] = {side: {} for side in SIDES}

    def add_slice(self) -> None:
        """Take in what the slice gave, and forget it."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE backtest_given")
            self._add_months(cursor)
            self._add_largest(cursor)
            self._add_others(cursor)
            cursor.execute(_ADD_TO_TOTALS)
            self.slices += 1
            if self.slices % ADD_UP_AFTER == 0:
                cursor.execute(_ADD_UP)

    def _add_months(self, cursor: Any) -> None:
        cursor.execute(_MONTHS)
        for month, currency, side, amount, awards, customers, largest in cursor.fetchall():
            sides = self.months.setdefault((f"{month:%Y-%m}", currency), {})
            sides[SIDES[side]] = {
                "amount_minor": amount,
                "awards": awards,
                "customers": customers,
                "largest_minor": largest,
            }

    def _add_largest(self, cursor: Any) -> None:
        cursor.execute(_LARGEST)
        for currency, side, amount, customer, incident in cursor.fetchall():
            sides = self.largest.setdefault(currency, {})
            if amount > sides.get(SIDES[side], {}).get("amount_minor", 0):
                found = {"amount_minor": amount, "customer": customer, "incident": incident}
                sides[SIDES[side]] = found

    def _add_others(self, cursor: Any) -> None:
        cursor.execute(_OTHERS)
        for side, benefit, exclusion, awards, days in cursor.fetchall():
            if exclusion:
                reasons = self.left_out[SIDES[side]]
                reasons[exclusion] = reasons.get(exclusion, 0) + awards
            elif benefit != "credit":
                sums = self.days[SIDES[side]].setdefault(benefit, {"awards": 0, "days": 0})
                sums["awards"] += awards
                sums["days"] += days

    def as_dict(self) -> dict[str, Any]:
        """The result: plain values, to be kept as JSON."""
        nothing = {"amount_minor": 0, "awards": 0, "customers": 0, "largest_minor": 0}
        with connection.cursor() as cursor:
            cursor.execute(_ADD_UP)
            cursor.execute(_TOTALS)
            totals = cursor.fetchall()
            cursor.execute(_COMPENSATED)
            compensated = dict(zip(SIDES, cursor.fetchone(), strict=True))
            cursor.execute(_DIFFERENCES, [DIFFERENCES])
            differences = cursor.fetchall()
        return {
            "months": [
                {"month": month, "currency": currency}
                | {side: sides.get(side, nothing) for side in SIDES}
                for (month, currency), sides in sorted(self.months.items())
            ],
            "totals": [self._total(*row) for row in totals],
            "customers": compensated,
            "left_out": self.left_out,
            "days": self.days,
            "differences": [
                {"customer": customer, "currency": currency, "ours": ours, "theirs": theirs}
                for customer, currency, ours, theirs in differences
            ],
        }

    def _total(self, currency: str, *figures: int) -> dict[str, Any]:
        ours, theirs, our_customers, their_customers, more, less = figures
        amounts = {"ours": (ours, our_customers), "theirs": (theirs, their_customers)}
        return {
            "currency": currency,
            "get_more": more,
            "get_less": less,
            **{
                side: {
                    "amount_minor": amount,
                    "customers": customers,
                    "awards": self._awards(currency, side),
                    "largest": self.largest.get(currency, {}).get(side),
                }
                for side, (amount, customers) in amounts.items()
            },
        }

    def _awards(self, currency: str, side: str) -> int:
        return sum(
            sides.get(side, {}).get("awards", 0)
            for (_month, of), sides in self.months.items()
            if of == currency
        )
