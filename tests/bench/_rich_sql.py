"""The SQL of the rich race: its world, and the reference written by hand."""

CUSTOMERS = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, stripe_customer_id, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com', 'en',
       (ARRAY['DE', 'AT', 'CH', 'US'])[1 + n %% 4], '', 'UTC', 'EUR',
       CASE WHEN n %% 200 <> 0 THEN 'cus_' || n END, now(), now()
FROM generate_series(1, %(size)s) AS n
"""
# Every fourth customer has two.
SUBSCRIPTIONS = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at,
                                    stripe_subscription_id, updated_at)
SELECT 'S-' || n, c.id, (%(plans)s::text[])[1 + n %% 4], 990 + n::bigint * 7919 %% 99011, 'EUR',
       CASE WHEN n %% 10 = 0 THEN 12 ELSE 1 END,
       CASE WHEN n %% 100 = 0 THEN 'canceled' ELSE 'active' END,
       (ARRAY['', 'eu', 'us'])[1 + n / 7 %% 3], timestamptz '2024-01-01Z', 'sub_' || n, now()
FROM generate_series(1, %(size)s) AS n
JOIN customers_customer c ON c.reference = 'C-' || (1 + (n - 1) %% %(customers)s)
"""
# Seven sets of components, three regions, and four parts of life: 84 an incident.
PROFILES = """
INSERT INTO incidents_exposureprofile (incident_id, components, region, lived_from, lived_to,
                                       major_seconds, partial_seconds, running_impact)
SELECT i.id, components, region, i.started_at + make_interval(mins => lived_from), lived_to, 3600,
       1800, ''
FROM incidents_incident i,
     unnest(ARRAY['', 'eu', 'us']) AS region,
     unnest(ARRAY[0, 20, 70, 140]) AS lived_from,
     LATERAL (SELECT i.started_at + interval '9 hours' AS lived_to) AS life,
     LATERAL (VALUES (ARRAY[%(a)s::bigint]), (ARRAY[%(b)s::bigint]), (ARRAY[%(c)s::bigint]),
        (ARRAY[%(a)s::bigint, %(b)s]), (ARRAY[%(a)s::bigint, %(c)s]), (ARRAY[%(b)s::bigint, %(c)s]),
        (ARRAY[%(a)s::bigint, %(b)s, %(c)s])) AS uses (components)
WHERE i.id = %(incident)s
"""
EXPOSURES = """
INSERT INTO incidents_exposure (incident_id, cohort_id, customer_id, subscription_id, profile_id,
                                major_seconds, partial_seconds)
SELECT %(incident)s, %(cohort)s, s.customer_id, s.id, p.id, p.major_seconds, p.partial_seconds
FROM customers_subscription s
JOIN (
    SELECT *, row_number() OVER (ORDER BY id) AS place FROM incidents_exposureprofile
    WHERE incident_id = %(incident)s
) p ON p.place = 1 + s.id %% 84
WHERE s.id * 13 %% 100 < %(share)s
"""
GIVEN = """
INSERT INTO compensation_award (
    source, batch_id, incident_id, customer_id, subscription_id, benefit, state, amount_minor,
    currency, days, rules, plan, country, major_seconds, partial_seconds, given_minor, given_by_id,
    reason, exclusion, exclusion_reason, idempotency_key, parameters_hash, attempt, stripe_id,
    error_code, error_message, created_at, destination
)
SELECT CASE WHEN is_goodwill THEN 'goodwill' ELSE 'batch' END,
       CASE WHEN NOT is_goodwill THEN %(batch)s END,
       CASE WHEN NOT is_goodwill THEN %(incident)s END,
       customer_id, id, 'credit', 'issued', 100 + id %% 900, 'EUR', 0, '{}', plan, '', 0, 0, 0,
       CASE WHEN is_goodwill THEN %(giver)s END, CASE WHEN is_goodwill THEN 'Sorry.' ELSE '' END,
       '', '', 'key-' || is_goodwill || id, '', 1, '', '', '', %(at)s, 'cus'
FROM customers_subscription, unnest(ARRAY[TRUE, FALSE]) AS is_goodwill
WHERE id %% CASE WHEN is_goodwill THEN 50 ELSE 10 END = 0
"""
# Whoever writes it knows that steps have no statistics and that everything is joined wholly.
BY_HAND = """
SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB';
INSERT INTO reference_award (
    source, batch_id, incident_id, cohort_id, customer_id, subscription_id, benefit, state,
    amount_minor, currency, days, rules, plan, country, fee_minor, interval_months, major_seconds,
    partial_seconds, downtime_ms, counted, period_start, period_end, raw_amount, cap_minor,
    given_minor, exclusion, exclusion_reason, idempotency_key, parameters_hash, attempt, stripe_id,
    error_code, error_message, created_at, destination
)
WITH hit AS (
    SELECT p.id AS profile_id, o.impact = 'major' AS is_major,
           tstzrange(GREATEST(o.starts_at, p.lived_from), LEAST(o.ends_at, p.lived_to)) AS during
    FROM incidents_exposureprofile p
    JOIN incidents_outage o ON o.incident_id = p.incident_id
     AND o.component_id = ANY (p.components)
     AND (o.region = '' OR p.region = '' OR o.region = p.region)
    WHERE p.incident_id IN (%(first)s, %(second)s, %(third)s)
      AND GREATEST(o.starts_at, p.lived_from) < LEAST(o.ends_at, p.lived_to)
), exposed AS MATERIALIZED (
    SELECT e.cohort_id, e.customer_id, e.subscription_id, e.major_seconds, e.partial_seconds,
           e.profile_id AS one, COALESCE(e2.profile_id, 0) AS two,
           COALESCE(e3.profile_id, 0) AS three
    FROM incidents_exposure e
    LEFT JOIN incidents_exposure e2
      ON e2.incident_id = %(second)s AND e2.subscription_id = e.subscription_id
    LEFT JOIN incidents_exposure e3
      ON e3.incident_id = %(third)s AND e3.subscription_id = e.subscription_id
    WHERE e.incident_id = %(first)s
), lived AS (
    SELECT x.one, x.two, x.three, range_agg(h.during) AS whole,
           COALESCE(range_agg(h.during) FILTER (WHERE h.is_major), '{}') AS major
    FROM (SELECT DISTINCT one, two, three FROM exposed) x
    JOIN hit h ON h.profile_id IN (x.one, x.two, x.three)
    GROUP BY x.one, x.two, x.three
), outage AS (
    SELECT l.one, l.two, l.three, lower(r) AS at,
           (extract(epoch FROM upper(r) - lower(r)) * 1000)::bigint AS length,
           (SELECT COALESCE(sum(extract(epoch FROM upper(m) - lower(m)) * 1000), 0)::bigint
            FROM unnest(l.major * tstzmultirange(r)) AS m) AS major
    FROM lived l, unnest(l.whole) AS r
), down AS MATERIALIZED (
    SELECT one, two, three, sum(CASE WHEN length >= 300000 THEN weighed ELSE 0 END) AS downtime,
           jsonb_build_object(
               'incidents', 1 + (two <> 0)::int + (three <> 0)::int,
               'outages', jsonb_agg(jsonb_build_array(
                   length, weighed::text,
                   CASE WHEN length >= 300000 THEN weighed ELSE 0 END::text
               ) ORDER BY at)
           ) AS counted
    FROM (SELECT *, (length + major) / 2 AS weighed FROM outage) w
    GROUP BY one, two, three
), given AS (
    SELECT a.customer_id, a.subscription_id, sum(a.amount_minor - a.reversed_minor) AS amount,
           COALESCE(sum(a.amount_minor - a.reversed_minor) FILTER (WHERE a.source = 'batch'), 0)
               AS by_batches
    FROM compensation_award a
    LEFT JOIN incidents_incident i ON i.id = a.incident_id
    LEFT JOIN compensation_batch b ON b.id = a.batch_id
    WHERE a.benefit = 'credit' AND a.currency = 'EUR' AND a.batch_id IS DISTINCT FROM %(batch)s
      AND (a.state IN ('approved', 'sending', 'issued', 'unknown')
           OR a.state = 'reversed' AND a.reversed_minor < a.amount_minor
           OR a.state = 'proposed' AND b.state = 'submitted')
      AND COALESCE(i.started_at, a.created_at) >= %(period_start)s
      AND COALESCE(i.started_at, a.created_at) < %(period_end)s
    GROUP BY a.customer_id, a.subscription_id
), given_customer AS (
    SELECT customer_id, sum(amount) AS amount FROM given GROUP BY customer_id
), fitted AS (
    SELECT x.cohort_id, x.customer_id, x.subscription_id, x.major_seconds, x.partial_seconds,
           d.downtime, d.counted, s.plan, s.fee_minor, s.interval_months, s.currency, c.country,
           COALESCE(g.amount, 0) AS given, COALESCE(g.by_batches, 0) AS by_batches,
           COALESCE(gc.amount, 0) AS given_customer,
           CASE WHEN s.status = 'canceled' THEN 'cancelled'
                WHEN c.stripe_customer_id IS NULL THEN 'no_stripe_customer'
                WHEN c.currency NOT IN ('', s.currency) THEN 'other_currency'
                ELSE '' END AS exclusion,
           CASE
           {cases}
           END AS rule
    FROM exposed x
    JOIN down d USING (one, two, three)
    JOIN customers_subscription s ON s.id = x.subscription_id
    JOIN customers_customer c ON c.id = x.customer_id
    LEFT JOIN given g ON g.subscription_id = x.subscription_id
    LEFT JOIN given_customer gc ON gc.customer_id = x.customer_id
    WHERE d.downtime > 0
), valued AS (
    SELECT *, GREATEST(fee_minor * (%(percent)s::int[])[rule]
                       / (interval_months * 100)::numeric - by_batches, 0) AS raw,
           fee_minor * %(cap_percent)s / (interval_months * 100)::numeric AS cap
    FROM fitted WHERE rule IS NOT NULL OFFSET 0
), own AS (
    SELECT *, LEAST(round(raw), round(GREATEST(cap - given, 0)))::bigint AS own_amount,
           round(cap)::bigint AS own_cap
    FROM valued OFFSET 0
), running AS (
    SELECT *, given_customer + COALESCE(sum(CASE WHEN exclusion = '' THEN own_amount END) OVER (
        PARTITION BY customer_id ORDER BY subscription_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS used
    FROM own
), capped AS (
    SELECT *, %(cap_minor)s - used < own_cap - given AS is_customers,
           LEAST(own_amount, GREATEST(%(cap_minor)s - used, 0)) AS amount
    FROM running
)
SELECT 'batch', %(batch)s, %(first)s, cohort_id, customer_id, subscription_id, 'credit',
       CASE WHEN exclusion = '' THEN 'proposed' ELSE 'excluded' END, amount, currency, 0,
       ARRAY[rule]::smallint[], plan, country, fee_minor, interval_months, major_seconds,
       partial_seconds, downtime, counted, %(period_start)s, %(period_end)s, raw,
       CASE WHEN is_customers THEN %(cap_minor)s ELSE own_cap END,
       CASE WHEN is_customers THEN used ELSE given END, exclusion, '', '', '', 0, '', '',
       '', now(), ''
FROM capped WHERE amount > 0
"""
COLUMNS = """customer_id, subscription_id, benefit, state, amount_minor, currency, rules, plan,
country, fee_minor, interval_months, major_seconds, partial_seconds, downtime_ms, counted,
period_start, period_end, raw_amount, cap_minor, given_minor, exclusion"""
