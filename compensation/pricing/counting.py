"""Downtime as a policy counts it: taken from the outages, once for all who share them.

Used only where the exposures' seconds do not tell: for the shortest outage that counts, whole
intervals, shares, each outage by itself, and the total of a period. The steps:

`spell`    (billing periods only) each exposure's own period
`lived`    (period's total only) what each exposure's subscription lived through in its period
`kind`     the distinct ones of those: a million exposures have few
`span`     each outage of a kind, clipped to its part of life, with its weight
`level`    the time down with at least each weight, so that the largest weight counts
`outage`   each unbroken span of a kind: its length, and its length as weighed
`facts`    what an award keeps of these for ever
`counted`  what counts of a kind: one row, or one for each outage where each is priced by itself

Lengths are in milliseconds; weighed ones in the parts of a millisecond that `Terms.scale` says.
"""

from decimal import Decimal
from typing import NamedTuple

from compensation.models import PolicyVersion
from compensation.pricing.shares import Weights
from compensation.pricing.terms import MINUTE_MS, WEIGHTS_SCALE, Terms


class Step(NamedTuple):
    """One common table expression, with the parameters of its placeholders."""

    sql: str
    params: tuple[object, ...] = ()


class Join(NamedTuple):
    """Steps whose rows an exposure joins, and on what."""

    tables: tuple[str, ...]
    conditions: tuple[str, ...]


def counting(terms: Terms, spell: Step | None = None) -> dict[str, Step]:
    """The steps. `spell` gives `id`, `begins` and `ends` of exposures with periods of their own."""
    weights = Weights.of(terms)
    steps = _period_kinds(terms, spell) if terms.others else {"kind": _kinds(terms)}
    steps["span"] = _spans(terms, weights)
    steps["level"] = Step(_LEVELS)
    steps["outage"] = Step(_outages(terms, weights))
    steps["facts"] = Step(_facts(terms, weights))
    steps["counted"] = Step(_counted(terms))
    return steps


def joined(terms: Terms) -> Join:
    """How a row of the exposures' query comes to its counted downtime.

    Kinds are joined by one text: of several columns PostgreSQL would expect next to no rows, and
    loop over all of them for each.
    """
    if terms.others:
        same = ("lived.id = incidents_exposure.id", "counted.kind = lived.kind")
        return Join(("lived", "counted"), same)
    return Join(("counted",), (f"counted.kind = {_OWN_KIND}",))


# Without profile the seconds were stated: they are one outage.
_OWN_KIND = "COALESCE(profile_id::text, major_seconds || '+' || partial_seconds)"
_STATED = "FILTER (WHERE x.profile_id IS NULL)"
_IN_ORDER = "ORDER BY x.incident_id, x.major_seconds, x.partial_seconds"
# Several stated seconds are several outages, each of its incident.
_LISTS = {
    "profiles": "array_agg(x.profile_id ORDER BY x.profile_id) "
    "FILTER (WHERE x.profile_id IS NOT NULL)",
    "stated_of": f"array_agg(x.incident_id {_IN_ORDER}) {_STATED}",
    "majors": f"array_agg(x.major_seconds {_IN_ORDER}) {_STATED}",
    "partials": f"array_agg(x.partial_seconds {_IN_ORDER}) {_STATED}",
}


def _kinds(terms: Terms) -> Step:
    lists = ", ".join(
        f"CASE WHEN x.profile_id IS {'NOT ' if name == 'profiles' else ''}NULL"
        f" THEN ARRAY[{column}] ELSE '{{}}' END::bigint[] AS {name}"
        for name, column in {
            "profiles": "x.profile_id",
            "stated_of": str(int(terms.incident.pk)),
            "majors": "x.major_seconds",
            "partials": "x.partial_seconds",
        }.items()
    )
    return Step(f"""
        SELECT row_number() OVER () AS key, {_OWN_KIND} AS kind, 1 AS incidents, {lists}
        FROM (
            SELECT DISTINCT profile_id, CASE WHEN profile_id IS NULL THEN major_seconds END
                AS major_seconds, CASE WHEN profile_id IS NULL THEN partial_seconds END
                AS partial_seconds
            FROM incidents_exposure WHERE incident_id = {int(terms.incident.pk)}{_only(terms)}
        ) x
    """)


def _only(terms: Terms, of: str = "") -> str:
    return "" if terms.customer_id is None else f" AND {of}customer_id = {int(terms.customer_id)}"


def _period_kinds(terms: Terms, spell: Step | None) -> dict[str, Step]:
    """Of all incidents of the period that hit the same subscription (or customer without one)."""
    sides = (
        "x.subscription_id = e.subscription_id",
        "x.customer_id = e.customer_id AND x.subscription_id IS NULL AND e.subscription_id IS NULL",
    )
    steps = {} if spell is None else {"spell": spell}
    # Each by itself, so that their numbers of rows can be foreseen.
    both = " UNION ALL ".join(_lived(terms, same, is_own=spell is not None) for same in sides)
    kind = " || ' ' || ".join(f"COALESCE({name}::text, '')" for name in _LISTS)
    steps["lived"] = Step(f"SELECT l.*, {kind} AS kind FROM ({both}) l")
    lists = ", ".join(f"COALESCE(min({name}), '{{}}') AS {name}" for name in _LISTS)
    steps["kind"] = Step(f"""
        SELECT row_number() OVER () AS key, kind, min(incidents) AS incidents, {lists}
        FROM lived GROUP BY kind
    """)
    return steps


def _lived(terms: Terms, same: str, *, is_own: bool) -> str:
    incidents = ", ".join(str(int(pk)) for pk in (terms.incident.pk, *terms.others))
    within = ""
    if is_own:
        within = """
            JOIN spell s ON s.id = e.id JOIN incidents_incident i
                ON i.id = x.incident_id AND i.started_at >= s.begins AND i.started_at < s.ends
        """
    lists = ", ".join(f"{sql} AS {name}" for name, sql in _LISTS.items())
    return f"""
        SELECT e.id, count(*)::int AS incidents, {lists}
        FROM incidents_exposure e JOIN incidents_exposure x ON {same} {within}
        WHERE e.incident_id = {int(terms.incident.pk)}{_only(terms, "e.")}
            AND x.incident_id IN ({incidents})
        GROUP BY e.id
    """


def _spans(terms: Terms, weights: Weights) -> Step:
    starts = "GREATEST(o.starts_at, p.lived_from)"
    ends = "LEAST(o.ends_at, p.lived_to, %s)"
    counts = "" if terms.partial_permille else " AND o.impact = 'major'"
    until = terms.counted_until
    return Step(
        f"""
        SELECT k.key, tstzrange({starts}, {ends}) AS during, {weights.of_outage} AS weight
        FROM kind k CROSS JOIN unnest(k.profiles) AS u (profile_id)
        JOIN incidents_exposureprofile p ON p.id = u.profile_id
        JOIN incidents_outage o ON o.incident_id = p.incident_id
            AND o.component_id = ANY (p.components)
            AND (o.region = '' OR p.region = '' OR o.region = p.region)
        WHERE {starts} < {ends}{counts}
        """,
        (until, until),
    )


_LEVELS = """
    SELECT w.key, w.step, range_agg(s.during) AS during
    FROM (
        SELECT key, weight, weight - COALESCE(
            lead(weight) OVER (PARTITION BY key ORDER BY weight DESC), 0
        ) AS step FROM (SELECT DISTINCT key, weight FROM span) d
    ) w JOIN span s ON s.key = w.key AND s.weight >= w.weight
    GROUP BY w.key, w.weight, w.step
"""


def _milliseconds(ranges: str) -> str:
    """Of a multirange; each piece floored."""
    return f"""(SELECT COALESCE(sum(floor(extract(epoch FROM upper(r) - lower(r)) * 1000)), 0)
        FROM unnest({ranges}) r)"""


def _outages(terms: Terms, weights: Weights) -> str:
    """Lived, and stated; `at` orders them in time as far as it is known."""
    stated_length = "t.major + t.partial" if terms.partial_permille else "t.major"
    return f"""
        SELECT key, at, length, weighed, {_as_counted(terms)} AS counted FROM (
            SELECT i.key, lower(i.during) AS at,
                {_milliseconds("tstzmultirange(i.during)")} AS length,
                sum(l.step * {_milliseconds("l.during * tstzmultirange(i.during)")}) AS weighed
            FROM (SELECT key, unnest(range_agg(during)) AS during FROM span GROUP BY key) i
            JOIN level l ON l.key = i.key
            GROUP BY i.key, i.during
            UNION ALL
            SELECT k.key, NULL, ({stated_length}) * 1000,
                (t.major * 1000::numeric + t.partial * {terms.partial_permille}::numeric)
                    * 1000 * {weights.of_stated}
            FROM kind k CROSS JOIN unnest(k.stated_of, k.majors, k.partials)
                AS t (incident_id, major, partial)
            WHERE {stated_length} > 0
        ) o
    """


def _as_counted(terms: Terms) -> str:
    """What counts of one outage: nothing if it is too short; in whole intervals."""
    version, weighed = terms.version, "weighed"
    if version.interval_minutes is not None:
        unit = int(version.interval_minutes * MINUTE_MS) * terms.scale
        rounds = PolicyVersion.IntervalRounding
        whole = {
            rounds.COMPLETED: "div(weighed, {unit})",
            rounds.STARTED: "div(weighed + {unit} - 1, {unit})",
            rounds.NEAREST: "div(2 * weighed + {unit}, 2 * {unit}::numeric)",
        }[rounds(version.interval_rounding)]
        weighed = f"({whole.format(unit=unit)} * {unit})"
    if version.shortest_minutes is None:
        return weighed
    shortest = int(version.shortest_minutes * MINUTE_MS)
    operator = "<=" if version.is_shortest_exclusive else "<"
    return f"CASE WHEN length {operator} {shortest} THEN 0 ELSE {weighed} END"


def _facts(terms: Terms, weights: Weights) -> str:
    """What an award tells of its downtime for ever (`Award.counted`).

    Lengths as weighed are exact decimals of a millisecond, in texts: JSON's numbers lose digits.
    """
    share = f", 'share', '{weights.share_told}'" if weights.share_told else ""
    part = Decimal(1) / terms.scale
    parts = ", ".join(
        ["length::bigint", *(f"trim_scale({n} * {part:f})::text" for n in ("weighed", "counted"))]
    )
    return f"""
        SELECT k.key, jsonb_build_object(
            'incidents', k.incidents, 'outages', COALESCE(
                jsonb_agg(jsonb_build_array({parts}) ORDER BY o.at, o.length)
                    FILTER (WHERE o.key IS NOT NULL), '[]'
            ){share}) AS facts
        FROM kind k LEFT JOIN outage o ON o.key = k.key
        GROUP BY k.key, k.incidents
    """


_WAS_HIT = "(cardinality(k.profiles) > 0 OR 0 < ANY (k.majors) OR 0 < ANY (k.partials))"


def _counted(terms: Terms) -> str:
    """Who was hit, but in no way that counts, has no row."""
    number = "bigint" if terms.scale == WEIGHTS_SCALE else "numeric"
    if terms.prices_each_outage:
        return f"""
            SELECT k.kind, f.facts, o.at, COALESCE(o.counted, 0)::{number} AS downtime
            FROM kind k JOIN facts f ON f.key = k.key
            LEFT JOIN outage o ON o.key = k.key AND o.counted > 0
            WHERE o.counted > 0 OR NOT {_WAS_HIT}
        """
    return f"""
        SELECT k.kind, f.facts, NULL::timestamptz AS at,
            COALESCE(o.downtime, 0)::{number} AS downtime
        FROM kind k JOIN facts f ON f.key = k.key
        LEFT JOIN (SELECT key, sum(counted) AS downtime FROM outage GROUP BY key) o
            ON o.key = k.key
        WHERE o.downtime > 0 OR NOT {_WAS_HIT}
    """
