"""The SQL of a resolution, in the order it runs. Tables live until the resolution ends.

hit_outage    the incident's outages, clipped to `as_of`
hit_component one bit for each component out of order
hit           each subscription using one, with a mask of them and the part of its life
hit_profile   the distinct (mask, region, life) of those, with their seconds
listed        what the lists say
found         the exposures as they should be
"""

# Read once, so that all that follows agrees even if somebody adds an outage meanwhile.
OUTAGES = """
CREATE TEMP TABLE hit_outage AS
SELECT component_id, region, impact = 'major' AS is_major,
       tstzrange(starts_at, LEAST(ends_at, %(as_of)s)) AS during,
       ends_at IS NULL OR ends_at > %(as_of)s AS goes_on,
       starts_at, ends_at
FROM incidents_outage
WHERE incident_id = %(incident)s AND starts_at < %(as_of)s
"""

BITS = """
CREATE TEMP TABLE hit_component AS
SELECT id AS component_id,
       overlay(repeat('0', cardinality(%(components)s::bigint[]))
               PLACING '1' FROM place::int)::bit({width})::{mask_type} AS bit
FROM unnest(%(components)s::bigint[]) WITH ORDINALITY AS component (id, place);
ANALYZE hit_component
"""

# A life that goes on beyond the last outage is written as infinity, so that lives can be joined
# by equality. While an outage goes on, the incident has no end.
HITS = """
CREATE TEMP TABLE hit AS
WITH span AS (
    SELECT min(starts_at) AS starts_at,
           max(CASE WHEN goes_on THEN 'infinity' ELSE ends_at END) AS ends_at
    FROM hit_outage
), used AS (
    SELECT u.subscription_id, bit_or(c.bit) AS mask
    FROM customers_componentuse u JOIN hit_component c USING (component_id)
    GROUP BY u.subscription_id
)
SELECT s.id AS subscription_id, s.customer_id, s.place::int AS place, used.mask, s.region,
       GREATEST(s.started_at, span.starts_at) AS lived_from,
       CASE WHEN s.ended_at < span.ends_at THEN s.ended_at ELSE 'infinity' END AS lived_to
FROM used
JOIN ({subscriptions}) AS s (id, customer_id, region, started_at, ended_at, place)
  ON s.id = used.subscription_id
CROSS JOIN span
WHERE s.started_at < span.ends_at AND (s.ended_at IS NULL OR s.ended_at > span.starts_at);
ANALYZE hit
"""

PROFILES = """
CREATE TEMP TABLE hit_seconds AS
WITH life AS (SELECT DISTINCT mask, region, lived_from, lived_to FROM hit)
SELECT life.*, components.ids AS components, running.impact AS running_impact,
       (SELECT COALESCE(floor(sum(extract(epoch FROM upper(r) - lower(r)))), 0)::bigint
        FROM unnest(down.major) AS r) AS major_seconds,
       (SELECT COALESCE(floor(sum(extract(epoch FROM upper(r) - lower(r)))), 0)::bigint
        FROM unnest(down.partly - down.major) AS r) AS partial_seconds
FROM life
CROSS JOIN LATERAL (
    SELECT array_agg(component_id ORDER BY component_id) AS ids
    FROM hit_component WHERE bit & life.mask = bit
) AS components
CROSS JOIN LATERAL (
    SELECT tstzmultirange(tstzrange(life.lived_from, life.lived_to)) AS lived
) AS lived
CROSS JOIN LATERAL (
    SELECT COALESCE(range_agg(during) FILTER (WHERE is_major), '{}') * lived.lived AS major,
           COALESCE(range_agg(during) FILTER (WHERE NOT is_major), '{}') * lived.lived AS partly,
           COALESCE(bool_or(is_major) FILTER (WHERE goes_on), FALSE) AS major_goes_on,
           COALESCE(bool_or(goes_on), FALSE) AS goes_on
    FROM hit_outage
    WHERE component_id = ANY (components.ids)
      AND (hit_outage.region = '' OR life.region = '' OR hit_outage.region = life.region)
) AS down
CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT down.goes_on OR life.lived_to <= %(as_of)s THEN ''
                WHEN down.major_goes_on THEN 'major' ELSE 'partial' END AS impact
) AS running
"""

STORE_PROFILES = """
INSERT INTO incidents_exposureprofile AS stored
    (incident_id, components, region, lived_from, lived_to,
     major_seconds, partial_seconds, running_impact)
SELECT %(incident)s, components, region, lived_from, NULLIF(lived_to, 'infinity'),
       major_seconds, partial_seconds, running_impact
FROM hit_seconds WHERE major_seconds + partial_seconds > 0
ON CONFLICT (incident_id, components, region, lived_from, lived_to) DO UPDATE
SET major_seconds = EXCLUDED.major_seconds, partial_seconds = EXCLUDED.partial_seconds,
    running_impact = EXCLUDED.running_impact
WHERE (stored.major_seconds, stored.partial_seconds, stored.running_impact)
   <> (EXCLUDED.major_seconds, EXCLUDED.partial_seconds, EXCLUDED.running_impact)
"""

NUMBER_PROFILES = """
CREATE TEMP TABLE hit_profile AS
SELECT stored.id AS profile_id, h.mask, h.region, h.lived_from, h.lived_to,
       h.major_seconds, h.partial_seconds
FROM hit_seconds h
JOIN incidents_exposureprofile stored
  ON stored.incident_id = %(incident)s AND stored.components = h.components
 AND stored.region = h.region AND stored.lived_from = h.lived_from
 AND COALESCE(stored.lived_to, 'infinity') = h.lived_to
WHERE h.major_seconds + h.partial_seconds > 0;
ANALYZE hit_profile
"""

STRUCK = """
CREATE TEMP VIEW struck AS
SELECT h.subscription_id, h.customer_id, h.place,
       p.profile_id, p.major_seconds, p.partial_seconds
FROM hit h JOIN hit_profile p USING (mask, region, lived_from, lived_to)
"""

FOUND = """
CREATE TEMP TABLE found AS
SELECT (%(cohorts)s::bigint[])[place] AS cohort_id, customer_id, subscription_id,
       profile_id, major_seconds, partial_seconds
FROM struck
WHERE place IS NOT NULL;
ANALYZE found
"""

# One row a subscription: of its entries the first cohort's, there the one that names it.
LISTED = """
CREATE TEMP TABLE listed AS
WITH member AS (
    SELECT m.customer_id, m.subscription_id, c.place,
           m.major_seconds IS NOT NULL OR m.partial_seconds IS NOT NULL AS is_given,
           COALESCE(m.major_seconds, 0) AS major_seconds,
           COALESCE(m.partial_seconds, 0) AS partial_seconds
    FROM unnest(%(cohorts)s::bigint[]) WITH ORDINALITY AS c (id, place)
    JOIN incidents_cohortmember m ON m.cohort_id = c.id
), span AS (
    SELECT started_at, COALESCE(resolved_at, %(as_of)s) AS ended_at
    FROM incidents_incident WHERE id = %(incident)s
), alive AS (
    SELECT s.id, s.customer_id
    FROM customers_subscription s CROSS JOIN span
    WHERE s.started_at <= span.ended_at
      AND CASE WHEN s.ended_at IS NULL THEN s.status NOT IN ('canceled', 'incomplete_expired')
               ELSE s.ended_at > span.started_at END
), unhit AS (
    SELECT * FROM member
    WHERE subscription_id IS NULL AND is_given
      AND NOT EXISTS (SELECT FROM struck WHERE struck.customer_id = member.customer_id)
), entry AS (
    SELECT member.*, 0 AS vagueness FROM member WHERE subscription_id IS NOT NULL
    UNION ALL
    SELECT m.customer_id, struck.subscription_id, m.place, m.is_given,
           m.major_seconds, m.partial_seconds, 1
    FROM member m JOIN struck USING (customer_id)
    WHERE m.subscription_id IS NULL
    UNION ALL
    SELECT u.customer_id, alive.id, u.place, u.is_given, u.major_seconds, u.partial_seconds, 1
    FROM unhit u LEFT JOIN alive USING (customer_id)
)
SELECT DISTINCT ON (COALESCE(subscription_id, -customer_id)) *
FROM entry
ORDER BY COALESCE(subscription_id, -customer_id), place, vagueness;
ANALYZE listed
"""

FOUND_WITH_LISTS = """
CREATE TEMP TABLE found AS
SELECT (%(cohorts)s::bigint[])[place] AS cohort_id, customer_id, subscription_id,
       profile_id, major_seconds, partial_seconds
FROM (
    SELECT subscription_id, s.customer_id, s.place,
           s.profile_id, s.major_seconds, s.partial_seconds
    FROM struck s LEFT JOIN listed l USING (subscription_id)
    WHERE s.place IS NOT NULL AND (l.place IS NULL OR s.place < l.place)
    UNION ALL
    SELECT subscription_id, l.customer_id, l.place,
           CASE WHEN NOT l.is_given THEN s.profile_id END,
           CASE WHEN l.is_given THEN l.major_seconds ELSE s.major_seconds END,
           CASE WHEN l.is_given THEN l.partial_seconds ELSE s.partial_seconds END
    FROM listed l LEFT JOIN struck s USING (subscription_id)
    WHERE s.place IS NULL OR l.place < s.place
) AS first_fit
WHERE major_seconds + partial_seconds > 0;
DROP TABLE listed;
ANALYZE found
"""

ADD_ALL = """
INSERT INTO incidents_exposure
    (incident_id, cohort_id, customer_id, subscription_id,
     profile_id, major_seconds, partial_seconds)
SELECT %(incident)s, cohort_id, customer_id, subscription_id,
       profile_id, major_seconds, partial_seconds
FROM found
"""

# An exposure without subscription is known by its customer: no subscription has a negative id.
REMOVE_STALE = """
DELETE FROM incidents_exposure e
WHERE incident_id = %(incident)s AND NOT EXISTS (
    SELECT FROM found f
    WHERE COALESCE(f.subscription_id, -f.customer_id)
        = COALESCE(e.subscription_id, -e.customer_id)
)
"""

REWRITE_DIFFERING = """
UPDATE incidents_exposure e
SET cohort_id = f.cohort_id, customer_id = f.customer_id, profile_id = f.profile_id,
    major_seconds = f.major_seconds, partial_seconds = f.partial_seconds
FROM found f
WHERE e.incident_id = %(incident)s
  AND COALESCE(f.subscription_id, -f.customer_id) = COALESCE(e.subscription_id, -e.customer_id)
  AND (e.cohort_id, e.customer_id, e.profile_id, e.major_seconds, e.partial_seconds)
      IS DISTINCT FROM
      (f.cohort_id, f.customer_id, f.profile_id, f.major_seconds, f.partial_seconds)
"""

ADD_MISSING = """
INSERT INTO incidents_exposure
    (incident_id, cohort_id, customer_id, subscription_id,
     profile_id, major_seconds, partial_seconds)
SELECT %(incident)s, cohort_id, customer_id, subscription_id,
       profile_id, major_seconds, partial_seconds
FROM found f
WHERE NOT EXISTS (
    SELECT FROM incidents_exposure e
    WHERE e.incident_id = %(incident)s
      AND COALESCE(f.subscription_id, -f.customer_id)
        = COALESCE(e.subscription_id, -e.customer_id)
)
"""

REMOVE_STALE_PROFILES = """
DELETE FROM incidents_exposureprofile p
WHERE incident_id = %(incident)s
  AND NOT EXISTS (SELECT FROM hit_profile h WHERE h.profile_id = p.id)
"""

COUNT_CUSTOMERS = "SELECT count(*) FROM (SELECT DISTINCT customer_id FROM found) AS customer"

DROP_FOUND = "DROP TABLE found"

DROP = """
DROP VIEW struck;
DROP TABLE hit_outage, hit_component, hit, hit_seconds, hit_profile
"""

ONE_STRUCK = """
SELECT place, profile_id, major_seconds, partial_seconds FROM struck
WHERE subscription_id = %(subscription)s
"""
