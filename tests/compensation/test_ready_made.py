"""Ready-made policies: their worked examples come out through the real pricing."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from compensation import ready_made
from compensation.models import Award, Policy, PolicyVersion
from compensation.policies import check_version, install_ready_made
from compensation.pricing import price
from tests.compensation.factories import BatchFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory

pytestmark = pytest.mark.django_db

# A month of each length in minutes.
MONTHS = {40320: 2, 43200: 4, 44640: 10}


def test_aws_s3_standard_gives_its_worked_examples():
    version = install_ready_made("aws-s3-standard")
    examples = ready_made.read("aws-s3-standard")["worked_examples"]
    for example in examples:
        started = datetime(2026, MONTHS[example["period_minutes"]], 14, tzinfo=UTC)
        cohort = CohortFactory(incident=IncidentFactory(started_at=started))
        ExposureFactory(
            cohort=cohort,
            subscription=SubscriptionFactory(
                customer=CustomerFactory(currency="USD"),
                fee_minor=example["monthly_fee_cents"],
                currency="USD",
            ),
            major_seconds=example["downtime_minutes"] * 60,
        )
        batch = BatchFactory(incident=cohort.incident, version=version)
        price(batch)
        credit = sum(Award.objects.filter(batch=batch).values_list("amount_minor", flat=True))
        assert credit == example["expected_credit_cents"], example
    assert len(examples) == 13


@pytest.mark.parametrize("key", ready_made.keys())
def test_install_twice_changes_nothing(key):
    first = install_ready_made(key)
    rows = list(first.rules.values())
    assert install_ready_made(key) == first
    assert list(first.rules.values()) == rows
    assert Policy.objects.count() == 1


@pytest.mark.parametrize("key", ready_made.keys())
def test_ready_made_has_no_errors(key):
    findings = check_version(install_ready_made(key))
    assert [str(finding) for finding in findings if finding.is_error] == []


def test_unknown_key_is_told():
    with pytest.raises(ValidationError, match="choose from aws-s3-standard, standard-sla"):
        install_ready_made("aws-s4")


def test_command_activates_and_makes_default(capsys):
    call_command("install_policy", "standard-sla", "--activate", "--default")
    call_command("install_policy", "aws-s3-standard", "--activate", "--default")
    assert list(Policy.objects.values_list("key", "is_default")) == [
        ("aws-s3-standard", True),
        ("standard-sla", False),
    ]
    assert PolicyVersion.objects.filter(state="active").count() == 2
    assert capsys.readouterr().out == "Standard SLA v1: active\nAWS S3 Standard v1: active\n"
