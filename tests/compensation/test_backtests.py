"""Backtests as rows: asked for, run, given up, gone stale; and simulating one incident."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation import backtesting
from compensation.backtesting import runs, walking
from compensation.backtesting.report import as_report, as_text
from compensation.models import Award, Backtest
from compensation.pricing import price
from compensation.simulation import simulate
from incidents.cohorts import resolve
from incidents.models import Cohort, Exposure, Incident
from tests.accounts.factories import staff
from tests.compensation.factories import (
    BatchFactory,
    PolicyVersionFactory,
    RuleFactory,
    activate,
)
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import OutageFactory

pytestmark = pytest.mark.django_db
OCTOBER = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}


@pytest.fixture(autouse=True)
def _woken(monkeypatch):
    monkeypatch.setattr(runs, "wake_backtesting", lambda: None)


@pytest.fixture
def finance():
    return staff(Role.FINANCE)


@pytest.fixture
def use():
    """An hour without the component, on 14 October, for a customer who pays EUR 499.00."""
    use = ComponentUseFactory.create()
    outage = OutageFactory.create(component=use.component)
    Incident.objects.filter(pk=outage.incident_id).update(
        state=Incident.State.RESOLVED, resolved_at=outage.ends_at
    )
    return use


@pytest.fixture
def draft(use):
    """20 % beside the 10 % in force."""
    active = activate(RuleFactory.create().version)
    draft = PolicyVersionFactory.create(policy=active.policy, number=2)
    RuleFactory.create(version=draft, credit_value=Decimal(20))
    return draft


def test_backtest_stands_beside_what_is_in_force(draft, use, finance):
    against = backtesting.in_force(draft)
    run = backtesting.ask_backtest(draft, against=against, by=finance, **OCTOBER)
    assert backtesting.run_next_backtest()
    run.refresh_from_db()
    assert (run.state, run.asked_by, run.attempts) == ("done", finance, 1)
    assert (run.steps_done, run.steps_total) == (2, 2)
    (total,) = run.result["totals"]
    largest = {"customer": use.subscription.customer_id, "incident": Incident.objects.get().pk}
    assert total == {
        "currency": "EUR", "get_more": 1, "get_less": 0,
        "ours": {"amount_minor": 9980, "customers": 1, "awards": 1,
                 "largest": largest | {"amount_minor": 9980}},
        "theirs": {"amount_minor": 4990, "customers": 1, "awards": 1,
                   "largest": largest | {"amount_minor": 4990}},
    }  # fmt: skip
    assert run.result["differences"] == [
        {"customer": use.subscription.customer_id, "currency": "EUR", "ours": 9980, "theirs": 4990}
    ]
    assert (run.result["incidents"], run.result["estimated"]) == (1, 1)
    # nothing is written but the run
    assert not Exposure.objects.exists()
    assert not Cohort.objects.exists()
    assert not Award.objects.exists()
    assert not backtesting.run_next_backtest()


def test_cap_of_a_month_is_used_up_by_the_backtest_itself(draft, use):
    draft.cap_amounts = {"EUR": 15_000}
    draft.save()
    for day in (20, 25):
        at = datetime(2026, 10, day, 8, tzinfo=UTC)
        OutageFactory.create(
            component=use.component, starts_at=at, ends_at=at + timedelta(hours=1),
            incident__started_at=at, incident__resolved_at=at + timedelta(hours=1),
        )  # fmt: skip
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    # 99.80, what was left of 150.00, and nothing
    month = run.result["months"][0]["ours"]
    assert (month["amount_minor"], month["awards"], month["largest_minor"]) == (15_000, 2, 9980)


def test_who_was_cancelled_later_counts_as_of_then(draft, use):
    subscription = use.subscription
    subscription.status = "canceled"
    subscription.ended_at = datetime(2026, 10, 20, tzinfo=UTC)
    subscription.save()
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    assert run.result["totals"][0]["ours"]["amount_minor"] == 9980
    subscription.ended_at = datetime(2026, 10, 14, 14, 50, tzinfo=UTC)
    subscription.save()
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    assert (run.result["totals"], run.result["left_out"]["ours"]) == ([], {"cancelled": 1})


def test_nobody_is_held_out_which_is_said(draft, client, finance):
    draft.is_voluntary, draft.holdout_percent = True, Decimal(50)
    draft.save()
    incident = Incident.objects.get()
    for _n in range(20):
        ComponentUseFactory.create(component=incident.outages.get().component)
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    assert (run.result["customers"]["ours"], run.result["left_out"]["ours"]) == (21, {})
    report = as_report(run)
    assert report["as_if_not_held_out"] == {f"{draft.policy.key}:{draft.number}": "50"}
    assert "as if nobody were held out" in as_text(report)
    client.force_login(finance)
    for address in ("compensation_backtest_change", "compensation_backtest_panel"):
        of = run.pk if address.endswith("change") else draft.pk
        page = client.get(reverse(f"admin:{address}", args=[of])).content.decode()
        assert "gives 50 % of customers nothing" in page


def test_a_changed_draft_makes_the_figures_stale(draft):
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    draft.change_note = "Twenty"
    draft.save()
    assert not backtesting.is_stale(Backtest.objects.get(pk=run.pk))
    draft.rules.update(credit_value=Decimal(15))
    assert backtesting.is_stale(Backtest.objects.get(pk=run.pk))


def test_asked_twice_it_waits_once(draft, finance):
    one = backtesting.ask_backtest(draft, by=finance, **OCTOBER)
    assert backtesting.ask_backtest(draft, by=finance, **OCTOBER) == one
    draft.rules.update(credit_value=Decimal(15))
    assert backtesting.ask_backtest(draft, by=finance, **OCTOBER) != one


def test_only_who_writes_policies_may_ask(draft, finance):
    with pytest.raises(PermissionDenied):
        backtesting.ask_backtest(draft, by=staff(Role.AUDITOR), **OCTOBER)
    with pytest.raises(ValidationError, match="before the first"):
        backtesting.ask_backtest(draft, by=finance, first=date(2026, 10, 2), last=date(2026, 10, 1))
    with pytest.raises(ValidationError, match="another version"):
        backtesting.ask_backtest(draft, by=finance, against=draft, **OCTOBER)


def test_given_up_while_it_runs_it_stops(draft, finance, monkeypatch):
    run = backtesting.ask_backtest(draft, by=finance, **OCTOBER)
    tell = runs._tell

    def given_up(one, done):
        backtesting.cancel_backtest(Backtest.objects.get(pk=one.pk), by=finance)
        tell(one, done)

    monkeypatch.setattr(runs, "_tell", given_up)
    assert backtesting.run_backtest(run).state == "cancelled"
    assert Backtest.objects.get(pk=run.pk).result == {}
    with pytest.raises(MoveError):
        backtesting.cancel_backtest(run, by=finance)


def test_what_a_killed_worker_left_begins_anew_three_times(draft):
    run = backtesting.ask_backtest(draft, by=None, **OCTOBER)
    silent = {"state": "running", "moved_at": timezone.now() - timedelta(minutes=3)}
    Backtest.objects.update(**silent, attempts=1)
    assert backtesting.run_next_backtest()
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    Backtest.objects.update(**silent, attempts=3)
    assert backtesting.run_next_backtest()
    run.refresh_from_db()
    assert (run.state, run.note[:24]) == ("failed", "It was begun three times")
    Backtest.objects.update(**silent | {"moved_at": timezone.now()})
    assert not backtesting.run_next_backtest()


def test_a_condition_that_cannot_be_read_is_told(draft):
    draft.rules.update(condition="plann = 1")
    run = backtesting.run_backtest(backtesting.ask_backtest(draft, by=None, **OCTOBER))
    assert run.state == "failed"
    assert "plann" in run.note


def test_slices_are_whole_periods(draft, use):
    draft.fee_period = "quarter"
    todo = walking.plan(draft, None, date(2026, 1, 1), date(2026, 12, 31))
    incidents = [Incident(started_at=datetime(2026, month, 3, tzinfo=UTC)) for month in range(1, 9)]
    todo = walking.Walk(todo.sides, incidents, todo.now)
    months = [[one.started_at.month for one in slice_] for slice_ in walking._slices(todo)]
    assert months == [[1, 2, 3], [4, 5, 6], [7, 8]]


def test_command_tells_the_same(draft, capsys):
    key = draft.policy.key
    call_command("backtest", "--policy", key, "--version", "2", "--from", "2026-10", "--to",
                 "2026-10", "--json")  # fmt: skip
    report = json.loads(capsys.readouterr().out)
    assert (report["version"], report["against"]) == (f"{key}:2", f"{key}:1")
    assert (report["from"], report["to"], report["stale"]) == ("2026-10-01", "2026-10-31", False)
    assert report["totals"][0]["ours"]["amount_minor"] == 9980
    call_command("backtest", "--policy", key, "--version", "1", "--against", f"{key}:2", "--from",
                 "2026-10-01", "--to", "2026-10-31")  # fmt: skip
    assert "EUR 49.90 in 1 awards to 1 customers; instead of EUR 99.80" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no version 9"):
        call_command("backtest", "--policy", key, "--version", "9", "--from", "2026-10", "--to",
                     "2026-10")  # fmt: skip


def test_simulation_adds_days_up_whatever_their_customers_pay_in(draft, use):
    usd = ComponentUseFactory.create(
        component=use.component, subscription__currency="USD",
        subscription__customer__currency="USD",
    )  # fmt: skip
    for subscription in (use.subscription, usd.subscription):
        subscription.stripe_subscription_id = f"sub_{subscription.pk}"
        subscription.save()
    draft.rules.update(trial_days=7)
    found = simulate(Incident.objects.get(), draft)
    assert [(row.benefit, row.currency, row.awards, row.days) for row in found.rows] == [
        ("credit", "EUR", 1, 0), ("credit", "USD", 1, 0), ("trial", "", 2, 14),
    ]  # fmt: skip


def test_simulation_ignores_what_the_incident_gave_and_writes_nothing(draft):
    incident = Incident.objects.get()
    resolve(incident)
    batch = BatchFactory.create(incident=incident, version=backtesting.in_force(draft))
    price(batch)
    batch.awards.update(state="issued")
    found = simulate(incident, draft)
    assert [(t.currency, t.amount_minor, t.awards, t.customers) for t in found.totals] == [
        ("EUR", 9980, 1, 1)
    ]
    assert [(row.position, row.amount_minor) for row in found.rows] == [
        (draft.rules.get().position, 9980)
    ]
    (award,) = found.largest
    assert (award.pk, award.amount_minor, found.is_estimated) == (None, 9980, False)
    assert list(Award.objects.values_list("amount_minor", flat=True)) == [4990]


def test_simulation_of_an_imported_incident_looks_up_whom_it_hit(draft):
    incident = Incident.objects.get()
    found = simulate(incident, draft)
    assert (found.totals[0].amount_minor, found.is_estimated) == (9980, True)
    incident.refresh_from_db()
    assert (incident.cohorts_resolved_at, Exposure.objects.count()) == (None, 0)


def test_simulation_joins_what_is_counted_as_pricing_does(draft):
    """Row by row it would take minutes for a large incident, within a page."""
    incident = Incident.objects.get()
    resolve(incident)
    draft.shortest_minutes = 1
    draft.save()
    with CaptureQueriesContext(connection) as queries:
        assert simulate(incident, draft).totals[0].amount_minor == 9980
    said = [query["sql"] for query in queries]
    made = next(n for n, sql in enumerate(said) if "CREATE TEMP TABLE simulated" in sql)
    assert "enable_nestloop = off" in said[made - 1]
    assert "enable_nestloop TO DEFAULT" in said[made + 1]
