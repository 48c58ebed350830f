"""The pages of backtests and simulations, through what a person would see."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation import backtesting
from compensation.backtesting import runs
from compensation.models import Backtest
from incidents.models import Incident
from tests.accounts.factories import staff
from tests.compensation.factories import PolicyVersionFactory, RuleFactory, activate
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import OutageFactory

pytestmark = pytest.mark.django_db
OCTOBER = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}


@pytest.fixture(autouse=True)
def _woken(monkeypatch):
    monkeypatch.setattr(runs, "wake_backtesting", lambda: None)


@pytest.fixture
def draft():
    """20 % beside the 10 % in force; one incident hit one customer of EUR 499.00."""
    use = ComponentUseFactory.create()
    outage = OutageFactory.create(component=use.component)
    Incident.objects.update(state=Incident.State.RESOLVED, resolved_at=outage.ends_at)
    active = activate(RuleFactory.create().version)
    draft = PolicyVersionFactory.create(policy=active.policy, number=2)
    RuleFactory.create(version=draft, credit_value=20)
    return draft


@pytest.fixture
def finance(client):
    person = staff(Role.FINANCE)
    client.force_login(person)
    return person


def text(client, name, pk, **query):
    response = client.get(reverse(f"admin:compensation_backtest_{name}", args=[pk]), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


def test_panel_says_how_to_begin_then_how_it_goes_then_what_it_found(client, draft, finance):
    assert "Not worked out yet" in text(client, "panel", draft.pk)
    asked = {"first": "2026-10-01", "last": "2026-10-31"}
    asked["against"] = backtesting.in_force(draft).pk
    start = reverse("admin:compensation_backtest_start", args=[draft.pk])
    response = client.post(start, asked)
    run = Backtest.objects.get()
    assert response.url == reverse("admin:compensation_backtest_change", args=[run.pk])
    assert run.asked_by == finance
    assert "Waits for a worker" in text(client, "panel", draft.pk)
    backtesting.run_backtest(run)
    panel = text(client, "panel", draft.pk)
    assert "EUR 99.80" in panel
    assert "EUR 49.90" in panel
    assert "as many customers" not in panel
    assert "the same 1 customer" in panel
    draft.rules.update(credit_value=15)
    assert "The terms were changed since" in text(client, "panel", draft.pk)


def test_page_shows_months_and_whom_it_changes_most_for(client, draft, finance):
    against = backtesting.in_force(draft)
    run = backtesting.ask_backtest(draft, by=finance, against=against, **OCTOBER)
    change = reverse("admin:compensation_backtest_change", args=[run.pk])
    assert "Goes through the incidents" in client.get(change).content.decode()
    backtesting.run_backtest(run)
    page = client.get(change).content.decode()
    customer = Incident.objects.get().outages.get().component.uses.get().subscription.customer
    assert reverse("admin:customers_customer_change", args=[customer.pk]) in page
    assert "2026-10" in page
    lines = b"".join(
        client.get(reverse("admin:compensation_backtest_csv", args=[run.pk])).streaming_content
    )
    assert lines.decode().splitlines()[1] == "2026-10,EUR,9980,4990,4990,1,1,1,1,9980,4990"
    url = reverse("admin:compensation_backtest_customers", args=[run.pk])
    lines = b"".join(client.get(url).streaming_content).decode().splitlines()
    assert lines[1] == f"{customer.reference},{customer.name},EUR,9980,4990,4990"


def test_progress_tells_rate_and_end_then_gives_way_to_the_page(client, draft, finance):
    run = backtesting.ask_backtest(draft, by=finance, **OCTOBER)
    Backtest.objects.update(
        state="running", began_at=run.asked_at, moved_at=run.asked_at, steps_total=100, steps_done=1
    )
    assert "of 100 pricings done" in text(client, "progress", run.pk)
    client.post(reverse("admin:compensation_backtest_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == "cancelled"
    url = reverse("admin:compensation_backtest_progress", args=[run.pk])
    assert client.get(url)["HX-Refresh"] == "true"


@pytest.mark.usefixtures("finance")
def test_simulation_page_prices_one_incident_under_two_versions(client, draft):
    assert "Choose an incident" in text(client, "simulation", draft.pk)
    incident = Incident.objects.get()
    page = text(client, "simulation", draft.pk, incident=incident.number)
    assert "EUR 99.80</span> instead of EUR 49.90" in page
    assert "20 % of EUR 499.00 = EUR 99.80" in page
    alone = text(client, "simulation", draft.pk, incident=incident.number, against="")
    assert "instead of" not in alone
    assert "There is no incident “INC-9”" in text(client, "simulation", draft.pk, incident="INC-9")


@pytest.mark.usefixtures("finance")
def test_page_of_a_long_time_asks_as_often_as_that_of_a_short_one(client, draft):
    run = backtesting.ask_backtest(draft, by=None, **OCTOBER)
    backtesting.run_backtest(run)
    change = reverse("admin:compensation_backtest_change", args=[run.pk])
    client.get(change)
    counts = []
    for n in (1, 3):
        run.result |= {name: run.result[name][:1] * n for name in ("months", "differences")}
        run.save()
        with CaptureQueriesContext(connection) as asked:
            client.get(change)
        counts.append(len(asked))
    assert counts[0] == counts[1]
