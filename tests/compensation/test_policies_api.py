"""Policies as the API tells them."""

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from backoffice.rest.models import ApiKey
from compensation.policies import install_ready_made

pytestmark = pytest.mark.django_db


def client(*scopes):
    _key, secret = ApiKey.objects.create_key(name="shop", scopes=list(scopes))
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return api


@pytest.fixture
def api():
    return client("policies:read")


def test_a_policy_is_told_with_its_table(api):
    call_command("install_policy", "aws-s3-standard", "--activate", "--default")
    answer = api.get("/api/v1/policies/aws-s3-standard/")
    assert answer.status_code == 200
    version = answer.json()["version"]
    assert (version["number"], version["minimum_amounts"]) == (1, {"USD": 100})
    assert version["is_minimum_exclusive"] is True
    first = version["rules"][0]
    assert (first["uptime_from"], first["uptime_to"]) == ("99.000000", "99.900000")
    assert (first["credit"], first["credit_value"]) == ("percent", "10.0000")
    assert len(version["rules"]) == 3


def test_a_draft_is_not_told(api):
    install_ready_made("aws-s3-standard")
    assert api.get("/api/v1/policies/aws-s3-standard/").json()["version"] is None


@pytest.mark.parametrize("count", [1, 2])
def test_list_needs_as_many_queries_for_one_as_for_two(api, django_assert_num_queries, count):
    for key in ["aws-s3-standard", "standard-sla"][:count]:
        call_command("install_policy", key, "--activate")
    api.get("/api/v1/policies/")
    with django_assert_num_queries(4):  # the key, policies, versions, rows
        found = api.get("/api/v1/policies/").json()["results"]
    assert len(found) == count


def test_list_by_what_is_in_force(api):
    install_ready_made("aws-s3-standard")
    call_command("install_policy", "standard-sla", "--activate")
    for value, key in (("true", "standard-sla"), ("false", "aws-s3-standard")):
        found = api.get("/api/v1/policies/", {"in_force": value}).json()["results"]
        assert [policy["key"] for policy in found] == [key]


def test_nobody_writes_and_other_keys_do_not_read(api):
    assert api.post("/api/v1/policies/", {}).status_code in {403, 405}
    assert client("customers:read").get("/api/v1/policies/").status_code == 403
    assert APIClient().get("/api/v1/policies/").status_code in {401, 403}
