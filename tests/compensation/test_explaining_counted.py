"""The sum of an award whose downtime was counted from outages: in words, steps and data."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from compensation.explanations import explain, explain_data, explain_steps
from compensation.models import Award, Rule
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
)
from tests.incidents.factories import IncidentFactory

pytestmark = pytest.mark.django_db
MINUTE = 60_000
BELOW = "99.861 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90"


def award_under(terms=None, *rows, outages=((60, 60, 60),), counted=None, **frozen):
    """An award of September 2026 (43,200 minutes); outages in minutes, None: not counted so."""
    version = PolicyVersionFactory(**(terms or {}))
    for position, row in enumerate(rows or [{}], start=1):
        RuleFactory(version=version, position=position, **row)
    batch = BatchFactory(
        version=version, incident=IncidentFactory(started_at=datetime(2026, 9, 14, tzinfo=UTC))
    )
    if outages is not None:
        in_ms = [[minutes * MINUTE for minutes in outage] for outage in outages]
        frozen["counted"] = {"outages": in_ms, "incidents": 1} | (counted or {})
    award = AwardFactory(batch=batch, **{
        "rules": list(range(1, len(rows or [{}]) + 1)),
        "fee_minor": 49900, "interval_months": 1, "raw_amount": Decimal(4990),
        "period_start": datetime(2026, 9, 1, tzinfo=UTC),
        "period_end": datetime(2026, 10, 1, tzinfo=UTC),
        "major_seconds": sum(outage[0] for outage in outages or [(60,)]) * 60,
        **frozen,
    })  # fmt: skip
    return Award.objects.get(pk=award.pk)


def test_one_outage_that_counts_wholly_reads_as_ever():
    assert (
        explain(award_under({"shortest_minutes": Decimal(5)})) == f"60 of 43,200 minutes = {BELOW}"
    )


def test_outages_too_short():
    award = award_under({"shortest_minutes": Decimal(5)}, outages=[(4, 4, 0), (60, 60, 60)])
    assert explain(award) == (
        f"outages counted: 1, too short (less than 5 minutes): 1; 60 of 43,200 minutes = {BELOW}"
    )
    assert explain(award, "de").startswith(
        "gezählte Ausfälle: 1, zu kurz (weniger als 5 Minuten): 1; 60 von 43.200 Minuten"
    )
    assert explain(award, "ru").startswith(
        "учтено сбоев: 1, слишком коротких (меньше 5 мин): 1; 60 из 43\xa0200 мин"
    )
    award.batch.version.is_shortest_exclusive = True
    assert "too short (at most 5 minutes): 1" in explain(award)
    assert ("Outages", "4 minutes (too short); 60 minutes") in explain_steps(award)
    assert [outage["is_too_short"] for outage in explain_data(award)["downtime"]["outages"]] == [
        True, False,
    ]  # fmt: skip


def test_share_of_customers_and_intervals():
    award = award_under(
        {"affected_share": "customers", "interval_minutes": Decimal(15)},
        outages=[(248, 62, 60)], counted={"share": "0.25"},
    )  # fmt: skip
    assert explain(award) == (
        "248 minutes out of order, 25 % of customers hit: 62 minutes; "
        f"in completed intervals of 15 minutes: 60 minutes; 60 of 43,200 minutes = {BELOW}"
    )
    assert explain(award, "de").startswith(
        "248 Minuten ausgefallen, 25 % der Kunden betroffen: 62 Minuten; "
        "in vollendeten Intervallen zu 15 Minuten: 60 Minuten; "
    )
    assert explain(award, "ru").startswith(
        "248 мин без сервиса, затронуто клиентов 25 %: 62 мин; "
        "полными интервалами по 15 мин: 60 мин; "
    )
    assert explain_data(award)["downtime"] == {
        "major_seconds": 14880,
        "partial_seconds": 0,
        "partial_weight": "1",
        "shortest_minutes": None,
        "is_shortest_exclusive": False,
        "interval_minutes": "15",
        "interval_rounding": "completed",
        "affected_share": "customers",
        "share": "0.25",
        "incidents": 1,
        "outages": [
            {
                "milliseconds": "14880000",
                "weighed_milliseconds": "3720000",
                "counted_milliseconds": "3600000",
                "is_too_short": False,
            }
        ],
        "milliseconds": "3600000",
    }


def test_share_of_requests_and_partial_weight():
    award = award_under({"affected_share": "requests"}, outages=[(120, 60, 60)])
    assert explain(award).startswith(
        "120 minutes out of order by the share of failed requests: 60 minutes; 60 of"
    )
    award = award_under({"partial_weight": Decimal("0.5")}, outages=[(120, 60, 60)])
    assert explain(award).startswith("120 minutes out of order count as 60 minutes; 60 of")
    assert ("As weighed", "120 minutes out of order count as 60 minutes") in explain_steps(award)


def test_uptime_rounded_before_rows_compare_it():
    award = award_under({"uptime_decimals": 1}, {"uptime_to_inclusive": True}, outages=None)
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 %, rounded 99.9 % uptime; at most 99.9 %: "
        "10 % of EUR 499.00 = EUR 49.90"
    )
    assert "99,861 %, gerundet 99,9 % Verfügbarkeit" in explain(award, "de")
    assert explain_data(award)["parts"][0]["uptime"] == {
        "exact": "3595/36", "percent": "99.861111", "rounded": "99.9",
    }  # fmt: skip


def test_percent_for_each_step():
    row = {
        "credit": Rule.Credit.STEP, "credit_value": Decimal(5), "step_minutes": Decimal(15),
        "step_counts": "started", "allowance_minutes": Decimal(20),
    }  # fmt: skip
    award = award_under({}, row, outages=None, amount_minor=7485, raw_amount=Decimal(7485))
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 3 x 5 % of EUR 499.00, "
        "one for each started 15 minutes beyond 20 minutes = EUR 74.85"
    )
    assert explain(award, "de").endswith(
        "3 x 5 % von 499,00 EUR, je begonnene 15 Minuten über 20 Minuten hinaus = 74,85 EUR"
    )
    assert explain(award, "ru").endswith(
        "3 x 5 % от 499,00 EUR, за каждые начатые 15 мин сверх 20 мин = 74,85 EUR"
    )
    assert explain_data(award)["parts"][0]["rows"] == [
        {
            "position": 1,
            "label": "",
            "credit": "step",
            "value": "5",
            "steps": 3,
            "step_minutes": "15",
            "step_counts": "started",
            "allowance_milliseconds": "1200000",
            "amount": "7485",
        }
    ]


def test_steps_beyond_what_an_uptime_allows():
    row = {
        "credit": Rule.Credit.STEP, "credit_value": Decimal(5), "step_minutes": Decimal(5),
        "allowance_uptime": Decimal("99.9"),
    }  # fmt: skip
    award = award_under({}, row, outages=None, amount_minor=7485, raw_amount=Decimal(7485))
    assert explain(award).endswith(
        "3 x 5 % of EUR 499.00, one for each completed 5 minutes beyond 43 min 12 s "
        "(at 99.9 % uptime) = EUR 74.85"
    )


def test_hours_of_the_fee():
    row = {"credit": Rule.Credit.HOURS, "credit_value": Decimal(6)}
    award = award_under({}, row, outages=None, amount_minor=416, raw_amount=Decimal("415.833333"))
    assert explain(award).endswith("below 99.9 %: 6 of 720 hours x EUR 499.00 = EUR 4.16")
    assert explain(award, "de").endswith("6 von 720 Stunden x 499,00 EUR = 4,16 EUR")
    assert explain(award, "ru").endswith("6 из 720 ч x 499,00 EUR = 4,16 EUR")
    row = explain_data(award)["parts"][0]["rows"][0]
    assert (row["hours"], row["fee_hours"], row["amount"]) == ("6", 720, "2495/6")


def test_one_months_fee_of_a_year():
    award = award_under(
        {"fee_period": "year", "fee_base": "month"}, outages=None,
        period_start=datetime(2026, 1, 1, tzinfo=UTC), period_end=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert explain(award) == (
        "60 of 525,600 minutes = 99.988 % uptime; below 99.9 %: 10 % of EUR 499.00 = EUR 49.90"
    )
    assert ("One month's fee", "EUR 499.00") in explain_steps(award)
    assert explain_data(award)["fee"] == {
        "interval_minor": 49900, "interval_months": 1, "base": "month", "months": 1,
        "amount": "49900",
    }  # fmt: skip


def test_each_outage_by_itself():
    award = award_under(
        {"fee_period": "outage", "shortest_minutes": Decimal(5)},
        {"uptime_to": None, "minutes_from": Decimal(120), "credit_value": Decimal(20)},
        {"uptime_to": None},
        outages=[(60, 60, 60), (1, 1, 0), (150, 150, 150)],
        amount_minor=14970, raw_amount=Decimal(14970),
    )  # fmt: skip
    assert explain(award) == (
        "outages counted: 2, too short (less than 5 minutes): 1; "
        "outage 1: 60 of 43,200 minutes = 99.861 % uptime; 10 % of EUR 499.00; "
        "outage 2: 150 of 43,200 minutes = 99.652 % uptime; "
        "from 120 minutes: 20 % of EUR 499.00; together EUR 149.70"
    )
    assert "Ausfall 2: 150 von 43.200 Minuten" in explain(award, "de")
    assert "сбой 2: 150 из 43\xa0200 мин" in explain(award, "ru")
    data = explain_data(award)
    assert [[row["position"] for row in part["rows"]] for part in data["parts"]] == [[2], [1]]
    assert data["amount"]["promised"] == "14970"
    assert ("Outage 2", "150 of 43,200 minutes = 99.652 % uptime") in explain_steps(award)


def test_the_total_of_a_period_less_what_was_given():
    award = award_under(
        {"basis": "period"}, {"credit_value": Decimal(25)},
        outages=[(40, 40, 40), (20, 20, 20)], counted={"incidents": 2},
        amount_minor=7485, raw_amount=Decimal(7485),
    )  # fmt: skip
    assert explain(award) == (
        "incidents in this period: 2; outages counted: 2; 60 of 43,200 minutes = 99.861 % uptime; "
        "below 99.9 %: 25 % of EUR 499.00 = EUR 124.75; "
        "less EUR 49.90 from earlier batches in this period: EUR 74.85"
    )
    assert explain(award, "de").endswith(
        "abzüglich 49,90 EUR aus früheren Gutschriften für diesen Zeitraum: 74,85 EUR"
    )
    assert explain(award, "ru").endswith(
        "за вычетом 49,90 EUR из прежних компенсаций за этот период: 74,85 EUR"
    )
    assert explain_data(award)["amount"] == {
        "promised": "12475",
        "given_by_batches_minor": 4990,
        "raw": "7485",
        "cap_minor": None,
        "given_minor": 0,
        "is_capped": False,
        "least_minor": None,
        "is_least_exclusive": False,
        "rounding": "half_up",
    }
    steps = dict(explain_steps(award))
    assert steps["All rows together"] == "EUR 124.75"
    assert steps["From earlier batches"] == "EUR 49.90"


def test_less_what_was_given_and_capped():
    award = award_under(
        {"basis": "period", "cap_percent": Decimal(20)}, {"credit_value": Decimal(25)},
        amount_minor=4990, raw_amount=Decimal(7485), cap_minor=9980, given_minor=4990,
    )  # fmt: skip
    assert explain(award).endswith(
        "25 % of EUR 499.00 = EUR 124.75; "
        "less EUR 49.90 from earlier batches in this period: EUR 74.85; "
        "at most EUR 99.80 in this period, of which EUR 49.90 were given before: EUR 49.90"
    )


def test_days_under_their_cap():
    award = award_under(
        {"cap_days": 10}, {"credit": "", "credit_value": None, "trial_days": 7}, outages=None,
        benefit="trial", amount_minor=0, currency="", days=3, raw_amount=None,
        trial_end_target=datetime(2026, 12, 2, tzinfo=UTC),
    )  # fmt: skip
    assert explain(award) == (
        "60 of 43,200 minutes = 99.861 % uptime; below 99.9 %: 7 more days of service; "
        "of these 7 days, 3 are left in this period"
    )
    assert explain(award, "de").endswith("von diesen 7 Tagen bleiben in diesem Zeitraum 3")
    assert explain(award, "ru").endswith("из этих 7 дн. за этот период остаётся 3 дн.")
    assert explain_steps(award)[-3:] == [
        ("Days promised", "7"),
        ("At most in this period, days", "10"),
        ("Award", "3 more days of service, until December 2, 2026"),
    ]
    data = explain_data(award)
    assert data["parts"][0]["rows"] == [{"position": 1, "label": "", "days": 7}]
    assert data["amount"] is None
    assert data["result"] == {
        "benefit": "trial", "amount_minor": 0, "currency": "", "days": 3,
        "until": "2026-12-02T00:00:00Z",
    }  # fmt: skip


def test_many_outages_are_not_told_one_by_one():
    award = award_under({"fee_period": "outage"}, outages=[(60, 60, 60)] * 8)
    assert "outage 5:" in explain(award)
    assert "outage 6:" not in explain(award)
    assert "; 3 more; together" in explain(award)
    assert len(explain_data(award)["parts"]) == 8


def test_data_is_ready_for_json_and_reads_the_same_without_a_query(django_assert_num_queries):
    pk = award_under({"shortest_minutes": Decimal(5)}, outages=[(4, 4, 0), (60, 60, 60)]).pk
    read = Award.objects.select_related("batch__version").prefetch_related("batch__version__rules")
    award = read.get(pk=pk)
    with django_assert_num_queries(0):
        data = explain_data(award)
        explain_steps(award)
    assert json.loads(json.dumps(data)) == data
    assert data["period"] == {
        "kind": "month",
        "basis": "incident",
        "starts_at": "2026-09-01T00:00:00Z",
        "ends_at": "2026-10-01T00:00:00Z",
        "milliseconds": 2592000000,
    }


def test_goodwill_as_data():
    award = AwardFactory(
        batch=None, source="goodwill", amount_minor=2000, origin="T-10482", reason="So long a wait."
    )
    assert explain_data(award) == {
        "origin": "T-10482",
        "reason": "So long a wait.",
        "result": {
            "benefit": "credit", "amount_minor": 2000, "currency": "EUR", "days": 0, "until": None,
        },
    }  # fmt: skip
