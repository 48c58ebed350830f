"""The promise of the README: one command plays the whole way of a credit, for real."""

import csv
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from django.conf import settings

from backoffice.demo.company import write_company
from backoffice.demo.processes import free_port

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
TELCO = Path(settings.BASE_DIR).parent / "shared" / "data" / "telco_customers.csv"
# The demo finds its own database and broker beside ours.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in {"AMENDS_DEMO", "STRIPE_API_KEY"}
}

pytestmark = pytest.mark.slow


def play(*arguments):
    """Run the demo to its end and read its one JSON object."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", "demo", "--no-serve", "--json", *arguments],
        cwd=settings.BASE_DIR, env=ENVIRONMENT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    if "A demo is running" in done.stderr:
        pytest.skip("A demo is running in this checkout.")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_made_company_gets_exactly_what_the_sandbox_holds():
    result = play("--customers", "150")
    assert result["customers"] == 150
    assert result["issued"] == result["awards"] > 50
    assert (result["failed"], result["unknown"]) == (0, 0)
    assert result["amount_minor"] == result["sandbox_amount_minor"]
    assert set(result["amount_minor"]) == {"EUR", "GBP", "USD"}
    assert result["trial_extensions"] > 0
    stages = "set_up import stripe incident cohort pricing approval issuing page flood desk"
    flood = result["flood"]
    assert (flood["tickets"], flood["about_the_outage"]) == (400, 300)
    assert flood["linked_rightly"] > 0.8 * 300
    assert flood["linked_wrongly"] < 0.03 * 300
    assert flood["answered_in_one_go"] > 200
    assert list(result["seconds"]) == stages.split()


@pytest.mark.skipif(not TELCO.is_file(), reason=f"the telecom sample is not at {TELCO}")
def test_telecom_gets_a_tenth_of_the_fee_to_the_cent():
    with TELCO.open(encoding="utf-8") as file:
        owed = [
            int((Decimal(row["MonthlyCharges"]) * 10).quantize(Decimal(1), ROUND_HALF_UP))
            for row in csv.DictReader(file)
            if row["InternetService"] == "Fiber optic" and row["Churn"] == "No"
        ]
    result = play("--telco", str(TELCO))
    assert result["customers"] == 7043
    assert result["exposed"] == result["awards"] == result["issued"] == len(owed)
    assert result["amount_minor"] == result["sandbox_amount_minor"] == {"USD": sum(owed)}
    assert result["flood"] is None  # nobody there has an address to write from


def test_same_seed_draws_the_same_company(tmp_path):
    for name in ("one.csv", "two.csv"):
        write_company(tmp_path / name, customers=300, seed=7, as_of=AS_OF)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    with (tmp_path / "one.csv").open(encoding="utf-8") as file:
        countries = Counter(row["country"] for row in csv.DictReader(file))
    assert set(countries) == {"DE", "AT", "GB", "US"}


def test_taken_port_is_not_taken_again():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
