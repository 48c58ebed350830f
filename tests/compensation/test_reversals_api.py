"""The API asks for reversals; nothing in it approves one."""

import pytest
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.rest.models import Scope
from compensation.ledger import NewEntry, record_entries
from compensation.models import ReversalRequest
from compensation.reversing import approve_request
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.test_viewsets import client_with

pytestmark = pytest.mark.django_db

URL = "/api/v1/reversals/"


@pytest.fixture
def award():
    award = AwardFactory(state="issued", batch__state="issued")
    record_entries(
        [
            NewEntry(
                kind="credit",
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=4990,
                currency="EUR",
                booked_at=timezone.now(),
            )
        ]
    )
    return award


def ask(api, **body):
    return api.post(URL, {"cause": "twice", "reason": "Ran twice", **body})


@pytest.fixture
def api():
    return client_with(Scope.BATCHES_READ, Scope.BATCHES_PROPOSE)


def test_key_asks_and_people_approve(api, award):
    answer = ask(api, award=award.pk)
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["state"], body["award"], body["batch"]) == ("asked", award.pk, None)
    assert (body["asked_by"], body["asked_by_key"]) == ("", "Shop")
    assert body["limits"] == [{"currency": "EUR", "amount_minor": 4990}]
    assert (body["awards"], body["taken"]) == ({"asked": 1}, [])
    row = ReversalRequest.objects.get()
    for verb in ("approve", "reject", "withdraw"):
        assert api.post(f"{URL}{row.pk}/{verb}/").status_code == 404
    approve_request(row, by=staff(Role.FINANCE_APPROVER), digest=row.digest)
    assert api.get(f"{URL}{row.pk}/").json()["state"] == "approved"


def test_batch_by_number(api, award):
    answer = ask(api, batch=award.batch.number)
    assert answer.json()["batch"] == award.batch.number


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"award": 1, "batch": "2026-000"}, 400),
        ({"batch": "2026-999"}, 400),
        ({"cause": "because"}, 400),
    ],
)
def test_asking_wrongly_names_the_field(api, body, status):
    answer = ask(api, **body)
    assert answer.status_code == status


def test_asked_for_already_is_a_conflict(api, award):
    ask(api, award=award.pk)
    assert ask(api, award=award.pk).status_code == 409


def test_same_idempotency_key_asks_once(api, award):
    headers = {"Idempotency-Key": "once"}
    body = {"cause": "twice", "reason": "x", "award": award.pk}
    first = api.post(URL, body, headers=headers)
    second = api.post(URL, body, headers=headers)
    assert (first.status_code, second.json()) == (201, first.json())
    assert ReversalRequest.objects.count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_the_same_however_many(api, count, django_assert_num_queries):
    for _ in range(count):
        row = AwardFactory(state="issued", batch__state="issued")
        ReversalRequest.objects.create(award=row, cause="twice", reason="x")
    api.get(URL)
    with django_assert_num_queries(3):
        assert len(api.get(URL).json()["results"]) == count
    assert api.get(URL, {"state": "done"}).json()["results"] == []
