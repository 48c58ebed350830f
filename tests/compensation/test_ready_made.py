"""Ready-made policies: their worked examples come out through the real pricing."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from compensation import ready_made
from compensation.examples import run_examples
from compensation.models import Policy, PolicyVersion
from compensation.policies import check_version, install_ready_made

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", ready_made.keys())
def test_ready_made_gives_its_worked_examples(key):
    version = install_ready_made(key)
    results = run_examples(version)
    assert [result for result in results if not result.is_exact] == []
    assert len(results) == len(ready_made.read(key).examples)


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
    with pytest.raises(ValidationError, match="choose from algolia-premier, arcustech"):
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
