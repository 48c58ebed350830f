"""Creating twice under one key creates once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from backoffice.customers.models import Component
from backoffice.rest.models import ApiKey, IdempotentRequest, Scope
from backoffice.rest.tasks import forget_old_requests

pytestmark = pytest.mark.django_db

URL = "/api/v1/components/"
COMPONENT = {"key": "fibre", "name": "Fibre"}


def client_with(*scopes, **fields):
    key, secret = ApiKey.objects.create_key(name="host", scopes=list(scopes), **fields)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client, key


@pytest.fixture
def client():
    return client_with(Scope.CUSTOMERS_WRITE)[0]


def post(client, body=COMPONENT, key="k-1"):
    return client.post(URL, body, headers={"Idempotency-Key": key})


def test_same_key_gets_the_first_answer_again(client):
    first, second = post(client), post(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Component.objects.count() == 1


def test_same_key_with_another_body_is_refused(client):
    post(client)
    answer = post(client, {"key": "dsl", "name": "DSL"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert list(Component.objects.values_list("key", flat=True)) == ["fibre"]


def test_keys_of_two_holders_do_not_meet(client):
    other, _key = client_with(Scope.CUSTOMERS_WRITE)
    post(client)
    assert post(other, {"key": "dsl", "name": "DSL"}).status_code == 201


def test_failed_request_keeps_no_answer(client):
    assert post(client, {"key": "no blanks", "name": ""}).status_code == 400
    assert IdempotentRequest.objects.count() == 0
    assert post(client).status_code == 201


def test_too_long_key_is_refused(client):
    assert post(client, key="k" * 256).status_code == 400


def test_answers_are_forgotten_after_a_day(client):
    post(client)
    forget_old_requests()
    assert IdempotentRequest.objects.count() == 1
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))
    forget_old_requests()
    assert IdempotentRequest.objects.count() == 0


def test_problem_names_the_field_under_its_own_media_type(client):
    answer = client.post(URL, {"name": "Fibre"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["errors"][0]["field"]) == (400, "key")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"revoked": True}, "does not exist or is revoked"),
        ({"expiry_date": timezone.now() - timedelta(days=1)}, "has expired"),
    ],
)
def test_dead_key_opens_nothing(fields, says):
    client, _key = client_with(Scope.CUSTOMERS_READ, **fields)
    answer = client.get(URL)
    assert answer.status_code == 401
    assert says in answer.json()["detail"]


def test_secret_is_kept_as_a_hash_only():
    key, secret = ApiKey.objects.create_key(name="host")
    assert secret not in str(ApiKey.objects.filter(pk=key.pk).values().get())


def test_too_many_calls_are_told_when_to_come_back(settings, monkeypatch):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr("backoffice.rest.throttling.KeyThrottle.rate", "2/min", raising=False)
    client, _key = client_with(Scope.CUSTOMERS_READ)
    answers = [client.get(reverse("component-list")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
