"""Policies as files: every shape of the published ones, and files nobody should trust."""

import json
from decimal import Decimal
from fractions import Fraction
from operator import ge, gt, le, lt
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compensation import ready_made
from compensation.models import Policy, PolicyVersion, Rule
from compensation.policies import import_policy
from compensation.policy_files import read_policies
from compensation.policy_files.settling import settle
from compensation.policy_files.wording import claim_days, hours_of_month

pytestmark = pytest.mark.django_db

PUBLISHED = Path(django_settings.BASE_DIR).parent / "shared" / "data" / "sla_policies.json"
VARIANTS = Path(__file__).parent / "policy_variants.json"
needs_published = pytest.mark.skipif(
    not PUBLISHED.exists(), reason=f"{PUBLISHED} is not there: the published SLAs are not tried"
)
MONTHLY = {
    "provider": "Acme", "service": "Web", "period": "calendar_month", "credit_base": "monthly fee",
    "tiers": [{"uptime_below": "99.9", "credit_percent": 10}],
    "worked_examples": [
        {"monthly_fee_cents": 49_900, "period_minutes": 43_200, "downtime_minutes": 60,
         "expected_credit_cents": 4_990},
    ],
}  # fmt: skip


def read(*policies, **options):
    return read_policies(json.dumps({"policies": policies}).encode(), **options)


def one(**changes):
    """The one policy of a file that is `MONTHLY` but for `changes`."""
    reading = read({**MONTHLY, **changes})
    assert reading.problems == []
    (policy,) = reading.policies
    return policy


def problems(**changes):
    return read({**MONTHLY, **changes}).problems


def check(capsys, file):
    """Exit code, last line and the lines before it of `import_policies --check`."""
    code = 0
    try:
        call_command("import_policies", str(file), "--check")
    except SystemExit as end:
        code = end.code
    *lines, last = capsys.readouterr().out.splitlines()
    return code, last, lines


@needs_published
def test_every_published_example_comes_out(capsys):
    code, last, lines = check(capsys, PUBLISHED)
    assert (code, last) == (0, "policies=18 examples=192 exact=192 differing=0")
    assert (
        "GitHub Enterprise Cloud (pre-2021 terms) examples=7 exact=7 differing=0 holes=1" in lines
    )
    assert len(lines) == 18
    assert not Policy.objects.exists()


def test_other_policies_of_these_shapes_come_out(capsys):
    code, last, _lines = check(capsys, VARIANTS)
    assert (code, last) == (0, "policies=22 examples=68 exact=68 differing=0")


@pytest.mark.parametrize(
    ("examples", "taken"),
    [
        # All 43.2 minutes allowed taken off, completed intervals: the usual reading.
        ([(73, 0), (74, 1_000)], []),
        ([(44, 1_000), (60, 2_000)], ['intervals_of "all_downtime"']),
        ([(44, 1_000), (60, 1_000)], ['step_counts "started"']),
        ([(44, 2_000), (61, 3_000)], ['step_counts "started", intervals_of "all_downtime"']),
        # None comes out: the usual reading stays, and they differ.
        ([(44, 7)], None),
    ],
)
def test_what_a_text_leaves_unsaid_its_examples_tell(examples, taken):
    given = [
        {"monthly_fee_cents": 10_000, "downtime_minutes": down, "expected_credit_cents": due}
        for down, due in examples
    ]
    steps = {"tiers": [], "threshold": "99.9", "step_percent": 10, "step_minutes": 30}
    settled = settle(one(**steps, worked_examples=given))
    assert all(result.is_exact for result in settled.results) == (taken is not None)
    assert [warning.split("granted: ")[1].split(". That")[0] for warning in settled.warnings] == (
        taken or []
    )


bounds = st.sampled_from(["95", "99", "99.5", "99.9"])
lows = st.fixed_dictionaries(
    {}, optional={"uptime_at_least": bounds, "uptime_above": bounds}
).filter(lambda low: len(low) < 2)
highs = st.fixed_dictionaries(
    {}, optional={"uptime_below": bounds, "uptime_at_most": bounds}
).filter(lambda high: len(high) < 2)
DOWN = [0, 43, 44, 215, 216, 217, 431, 432, 433, 2159, 2160, 2161, 40_000]


def is_ordered(tier):
    values = {key.split("_", 1)[1]: Fraction(tier[key]) for key in tier}
    low = values.get("at_least", values.get("above", 0))
    return low < values.get("below", values.get("at_most", 200))


def fits(tier, uptime):
    compare = {"uptime_at_least": ge, "uptime_above": gt, "uptime_below": lt, "uptime_at_most": le}
    return all(compare[key](uptime, Fraction(bound)) for key, bound in tier.items())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(lambda a, b: a | b, lows, highs).filter(is_ordered), min_size=1,
                max_size=4))  # fmt: skip
def test_of_any_tiers_the_highest_that_fits_counts(db, tiers):
    percents = [10 * n for n in range(1, len(tiers) + 1)]
    given_tiers = [
        {**tier, "credit_percent": percent} for tier, percent in zip(tiers, percents, strict=True)
    ]
    examples = []
    for down in DOWN:
        uptime = 100 * (1 - Fraction(down, 43_200))
        due = max(
            (n for tier, n in zip(tiers, percents, strict=True) if fits(tier, uptime)), default=0
        )
        examples.append({"monthly_fee_cents": 10_000, "downtime_minutes": down,
                         "period_minutes": 43_200, "expected_credit_cents": due * 100})  # fmt: skip
    results = settle(one(tiers=given_tiers, worked_examples=examples)).results
    assert [result.got_minor for result in results] == [
        result.example.expected_minor for result in results
    ]


def test_what_differs_is_told_and_ends_with_an_error(capsys, tmp_path):
    wrong = [{**MONTHLY["worked_examples"][0], "expected_credit_cents": 4_991, "label": "An hour"},
             {**MONTHLY["worked_examples"][0], "expected_credit_cents": None}]  # fmt: skip
    file = tmp_path / "policies.json"
    file.write_text(json.dumps([{**MONTHLY, "worked_examples": wrong}]))
    assert check(capsys, file) == (
        1,
        "policies=1 examples=2 exact=0 differing=2",
        [
            "Acme Web examples=2 exact=0 differing=2",
            (
                "  example 1 (An hour): 60 minutes, 99.861111 % uptime, fee USD 499.00: "
                "expected USD 49.91, got USD 49.90 by row 1"
            ),
            (
                "  example 2: 60 minutes, 99.861111 % uptime, fee USD 499.00: expected the text to "
                "be silent, but no hole is there, got USD 49.90 by row 1"
            ),
        ],
    )


def test_import_makes_drafts_and_another_one_for_a_policy_that_exists(capsys, tmp_path):
    file = tmp_path / "policies.json"
    file.write_text(json.dumps({"policies": [MONTHLY]}))
    call_command("import_policies", str(file), "--currency", "eur")
    call_command("import_policies", str(file))
    assert capsys.readouterr().out.splitlines()[2::3] == [
        "Acme Web v1: draft",
        "Acme Web v2: draft",
    ]
    assert Policy.objects.get().key == "acme-web"
    first, second = PolicyVersion.objects.order_by("number")
    assert (first.examples.get().currency, second.examples.get().currency) == ("EUR", "USD")
    assert first.rules.get().credit_value == 10


def test_nothing_is_imported_where_anything_is_wrong(tmp_path):
    file = tmp_path / "policies.json"
    file.write_text(json.dumps([MONTHLY, {**MONTHLY, "service": "Mail", "cap_percent": "half"}]))
    with pytest.raises(CommandError, match="Acme Mail: cap_percent: 'half': write a number"):
        call_command("import_policies", str(file))
    assert not Policy.objects.exists()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_policies", str(tmp_path / "none.json"))


def test_the_templates_are_read_by_the_same_reader():
    for key in ready_made.keys():  # noqa: SIM118 - a function, not a dictionary
        policy = ready_made.read(key)
        assert (policy.policy.key, policy.policy.name != "", len(policy.examples) > 0) == (
            key, True, True,
        )  # fmt: skip
    assert ready_made.read("vultr-cloud-instances").rules[0].fee_hours == 672
    assert ready_made.read("ovhcloud-key-management").version.claim_days == 60


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"cap_cents": 5000}, {"cap_amounts": {"USD": 5000}}),
        ({"cap_amount": "50.00"}, {"cap_amounts": {"USD": 5000}}),
        ({"cap_amounts": {"EUR": 1}}, {"cap_amounts": {"EUR": 1}}),
        ({"min_credit_exclusive_cents": 100},
         {"minimum_amounts": {"USD": 100}, "is_minimum_exclusive": True}),
        ({"min_incident_minutes": "2.5"},
         {"shortest_minutes": Decimal("2.5"), "is_shortest_exclusive": False}),
        ({"rounding": "Half-even"}, {"rounding": "half_even"}),
        ({"period": "calendar_year"}, {"fee_base": "month"}),
        ({"period": "calendar_quarter", "credit_base": "fees paid in the quarter"},
         {"fee_base": "period"}),
        ({"period": "calendar_quarter", "credit_base": ""}, {"fee_base": "period"}),
        ({"claim_window": "30 days from the end of the month"}, {"claim_days": 30}),
        ({"interval_minutes": 5, "interval_rounding": "started"}, {"interval_rounding": "started"}),
    ],
)  # fmt: skip
def test_terms_are_read(changes, terms):
    version = one(**changes, worked_examples=[]).version
    assert {name: getattr(version, name) for name in terms} == terms


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("60 calendar days of the incident", 60),
        ("within 3 months of the end of the billing cycle", None),
        ("10 business days by e-mail", None),
        ("ticket within 24 h of first awareness; processed within 45 days", None),
        ("", None),
    ],
)
def test_a_claim_window_in_days_is_understood(text, days):
    assert claim_days(text) == days


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ('672 h = "1 month" (hourly price = monthly/672)', 672),
        ("hourly rate = monthly fee / 730", 730),
        ("1 month = 720 hours", 720),
        ("for a 730-h month", 730),
        ("after 720 h of downtime", None),
    ],
)
def test_the_hours_of_a_month_are_understood(text, hours):
    assert hours_of_month(text) == hours


def test_the_longest_credit_of_hours_is_a_month_only_if_it_can_be_one():
    tiers = [{"outage_minutes_from": 60, "credit_hours": 24}]
    longer = [*tiers, {"outage_minutes_from": 600, "credit_hours": 720}]
    for rows, cap, hours in ((tiers, 100, None), (longer, 100, 720), (longer, 50, None)):
        rules = one(tiers=rows, cap_percent=cap, worked_examples=[]).rules
        assert {rule.fee_hours for rule in rules} == {hours}


def test_stacked_rows_are_put_so_that_the_highest_wins():
    tiers = [{"uptime_below": below, "credit_percent": percent}
             for below, percent in (("99.99", 10), ("99", 25), ("95", 100))]  # fmt: skip
    assert [rule.credit_value for rule in one(tiers=tiers).rules] == [100, 25, 10]
    rows = one(tiers=[], rows=tiers).rules
    assert [rule.credit_value for rule in rows] == [10, 25, 100]


def test_whole_minutes_leave_no_hole_between_them():
    tiers = [{"outage_minutes_from": 1, "outage_minutes_to": 9, "credit_hours": 1},
             {"outage_minutes_from": 10, "outage_minutes_to": 59, "credit_hours": 2},
             {"outage_minutes_from": 61, "outage_minutes_to": 90, "credit_hours": 3}]  # fmt: skip
    rules = one(tiers=tiers, worked_examples=[]).rules
    bounds = [(rule.minutes_to, rule.minutes_to_inclusive) for rule in rules]
    assert bounds == [(10, False), (59, True), (90, True)]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"model": "step_per_started_interval", "threshold": 100},
         {"step_counts": "started", "allowance_uptime": None, "uptime_to": 100}),
        ({"model": "step_per_hour_beyond_sla", "threshold": "99.5"},
         {"step_counts": "completed", "allowance_uptime": Decimal("99.5"), "uptime_to": None}),
        ({"notes": "for each hour or part thereof", "allowance_minutes": 10},
         {"step_counts": "started", "allowance_minutes": 10}),
        ({"ambiguity": "Examples use started hours."}, {"step_counts": "started"}),
    ],
)  # fmt: skip
def test_steps_are_read(changes, rule):
    steps = {"tiers": [], "step_percent": 5, "step_minutes": 60, "worked_examples": []}
    (read_rule,) = one(**steps, **changes).rules
    assert read_rule.credit == Rule.Credit.STEP
    assert {name: getattr(read_rule, name) for name in rule} == rule


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"period": "fortnight"}, "Acme Web: period: 'fortnight': write one of"),
        ({"period": None}, "period: None: say which"),
        ({"tiers": [{"uptime_below": "99,9", "credit_percent": 10}]},
         "Acme Web, tiers[1]: uptime_below: '99,9': write a number such as 10 or \"99.9\"."),
        ({"tiers": [{"uptime_below": 101, "credit_percent": 10}]}, "at least 0 and at most 100"),
        ({"tiers": [{"uptime_below": True, "credit_percent": 10}]}, "write a number"),
        ({"tiers": [{"uptime_below": 99, "credit_percent": -1}]}, "credit_percent: -1: at least 0"),
        ({"tiers": [{"uptime_below": 99, "credit_percent": "1e999"}]}, "write a number"),
        ({"tiers": [{"uptime_below": 99, "credit_percent": 10**9}]}, "less than 1,000,000"),
        ({"tiers": [{"uptime_below": 99, "credit_percent": "0.00001"}]}, "at most 4 decimals"),
        ({"tiers": [{"uptime_below": 99}]}, "it gives nothing: say credit_percent"),
        ({"tiers": [{"credit_percent": 1, "credit_hours": 1}]}, "credit_percent is a credit"),
        ({"tiers": [{"uptime_below": 9, "uptime_at_most": 9, "credit_percent": 1}]},
         "uptime_below bounds it already"),
        ({"tiers": [{"uptime_below": 9, "uptime_at_least": 10, "credit_percent": 1}]},
         "nothing lies from 10 to 9"),
        ({"tiers": "many"}, "tiers: 'many': write a list of objects."),
        ({"tiers": []}, "tiers: there is no table"),
        ({"tiers": [], "step_percent": 5}, "step_minutes: say how long"),
        ({"tiers": [], "bands": [[10, 0], [5, 1], [None, 2]]}, "bands[2]: limit: 5: limits rise"),
        ({"tiers": [], "bands": [[10]]}, "band 1: write [minutes, percent]."),
        ({"bands": [[None, 5]]}, "bands: [[None, 5]]: tiers is the table already"),
        ({"cap_cents": 1, "cap_amount": 1}, "cap_cents says it already"),
        ({"cap_amounts": {"ABC": 1}}, "“ABC” is not a currency"),
        ({"cap_amounts": {"EUR": "1"}}, "EUR: write a whole number of minor units"),
        ({"cap_amount": "0.001"}, "USD has no such small fractions"),
        ({"currency": "usd"}, "“usd” is not a currency"),
        ({"provider": "A\x00"}, "no NUL"),
        ({"provider": "\ud800"}, "half a character"),
        ({"provider": 5}, "provider: 5: write a text."),
        ({"notes": "x" * 20_001}, "at most 20,000 characters"),
        ({"provider": "", "service": ""}, "say provider and service"),
        ({"key": "Not a slug"}, "key: 'Not a slug': say provider"),
        ({"rows": [{"credit_percent": 1, "condition": "plan ="}], "tiers": None},
         "rows[1]: condition: 'plan =': Line 1, column"),
        ({"rows": [{"credit_percent": 1, "plans": ["\ud800"]}], "tiers": None},
         "write a list of texts of at most 100 characters"),
        ({"worked_examples": [{"expected_days": 5, "downtime_minutes": 1,
                               "starts_on": "9999-12-31"}]}, "from 2000 to 2100"),
        ({"worked_examples": [{"expected_days": 5, "downtime_minutes": [1] * 1001}]},
         "at most 1,000 outages"),
        ({"counts_maintenance": "yes"}, "write true or false"),
        ({"min_incident_minutes": 1, "min_incident_minutes_exclusive": 2}, "stands there too"),
        ({"worked_examples": [{"downtime_minutes": 5}]}, "expected_credit_cents: say what is due"),
        ({"worked_examples": [{"expected_days": 5}]}, "say how many minutes it was down"),
        ({"worked_examples": [{"expected_days": 5, "downtime_minutes": [1, "x"]}]},
         "worked_examples[1], downtime_minutes[2]: minutes: 'x'"),
        ({"worked_examples": [{"expected_days": 5, "downtime_minutes": "0.001"}]},
         "whole seconds are counted"),
        ({"worked_examples": [{"expected_credit_cents": 5, "downtime_minutes": 1}]},
         "monthly_fee_cents: say the month's fee"),
        ({"period": "calendar_quarter", "worked_examples": [
            {"expected_credit_cents": 5, "downtime_minutes": 1, "monthly_fee_cents": 100,
             "period_fee_cents": 301}]}, "contradicts monthly_fee_cents, of which it would be 300"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_place_and_remedy(changes, said):
    told = problems(**changes)
    assert [problem for problem in told if said in problem], told
    assert read({**MONTHLY, **changes}).policies == []


def test_amounts_beyond_all_bounds_are_told():
    given = [{"monthly_fee_cents": 10**15, "downtime_minutes": 60, "expected_credit_cents": 1}]
    tiers = [{"uptime_below": 100, "credit_percent": 999_999}]
    with pytest.raises(ValidationError, match="comes to more than can be counted"):
        settle(one(tiers=tiers, worked_examples=given))


def test_keys_that_could_mean_money_are_told():
    reading = read({**MONTHLY, "bonus_percent": 5, "verified": "yes", "multiplier": None})
    assert [warning.split(": look")[0] for warning in reading.warnings] == [
        "Acme Web: bonus_percent says nothing here and was left out"
    ]


def test_an_uptime_that_contradicts_its_minutes_is_told():
    example = {**MONTHLY["worked_examples"][0], "uptime_percent": "99.9"}
    (warning,) = read({**MONTHLY, "worked_examples": [example]}).warnings
    assert "99.9 is not what 60 of 43200 minutes give" in warning


def test_a_month_that_examples_contradict_gives_way_to_the_periods_fee():
    example = {**MONTHLY["worked_examples"][0], "period_minutes": 131_040,
               "period_fee_cents": 149_700}  # fmt: skip
    reading = read({**MONTHLY, "period": "calendar_quarter", "worked_examples": [example]})
    assert reading.policies[0].version.fee_base == "period"
    assert "credit_base speaks of a month's fee" in reading.warnings[0]


def test_two_policies_of_one_key_are_told():
    assert read(MONTHLY, MONTHLY).problems == [
        "Acme Web: key: “acme-web” stands twice in this file: give one another key."
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "no UTF-8"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"policies": 5}', "There are no policies in it"),
        (b"[]", "no policy in it"),
        (b"[5]", "There are no policies in it"),
        (b'[{"a": NaN}]', "NaN is no number"),
        (b'[{"a": 1, "a": 2}]', "“a” stands twice"),
        (b'[{"a": 1' + b"0" * 5000 + b"}]", "no JSON"),
    ],
)
def test_a_file_that_is_none_is_told(content, said):
    with pytest.raises(ValidationError, match=said):
        read_policies(content)


def test_numbers_are_exact_however_they_are_written():
    policy = one(tiers=[{"uptime_below": 99.9, "credit_percent": "12.50"}])
    version = import_policy(policy)
    rule = version.rules.get()
    assert (rule.uptime_to, rule.credit_value) == (Decimal("99.9"), Decimal("12.5"))
