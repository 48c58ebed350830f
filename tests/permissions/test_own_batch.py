"""Nobody approves what they made or submitted, by whatever door they try."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.html import escape

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from compensation.approval import approve_batch, refusal
from compensation.batches import submit_batch
from compensation.models import Approval
from tests.accounts.factories import staff
from tests.compensation.stories import priced_batch
from tests.permissions.actors import BACKEND

pytestmark = pytest.mark.django_db


@pytest.fixture
def approver():
    return staff(Role.FINANCE, Role.FINANCE_APPROVER)


@pytest.fixture(params=["made", "submitted"])
def own_batch(request, approver):
    """One they made and another person submitted, or the other way round."""
    others = staff(Role.FINANCE)
    is_maker = request.param == "made"
    batch = priced_batch(created_by=approver if is_maker else others)
    return submit_batch(batch, by=others if is_maker else approver)


def test_own_batch_is_refused_by_the_verb(own_batch, approver):
    with pytest.raises(PermissionDenied):
        approve_batch(own_batch, by=approver, digest=own_batch.digest)
    assert Approval.objects.count() == 0


def test_own_batch_is_refused_even_to_a_superuser(own_batch, approver):
    approver.is_superuser = True
    approver.save()
    with pytest.raises(PermissionDenied):
        approve_batch(own_batch, by=approver, digest=own_batch.digest)
    assert Approval.objects.count() == 0


def test_own_batch_is_refused_in_the_admin(own_batch, approver):
    client = Client()
    client.force_login(approver, backend=BACKEND)
    url = reverse("admin:compensation_batch_approve", args=[own_batch.pk])
    response = client.post(url, {"digest": own_batch.digest}, follow=True)
    assert escape(refusal(own_batch, approver)) in response.content.decode()
    own_batch.refresh_from_db()
    assert (own_batch.state, Approval.objects.count()) == ("submitted", 0)


def test_somebody_elses_batch_is_approved_in_the_admin(own_batch):
    client = Client()
    client.force_login(staff(Role.FINANCE_APPROVER), backend=BACKEND)
    url = reverse("admin:compensation_batch_approve", args=[own_batch.pk])
    client.post(url, {"digest": own_batch.digest})
    own_batch.refresh_from_db()
    assert (own_batch.state, Approval.objects.count()) == ("approved", 1)


@pytest.mark.parametrize("verb", ["approve", "reject", "pause", "resume", "issue"])
def test_api_has_no_such_door(own_batch, verb):
    _, secret = ApiKey.objects.create_key(name="all", scopes=list(Scope.values))
    client = Client(headers={"authorization": f"Api-Key {secret}"})
    with pytest.raises(NoReverseMatch):
        reverse(f"batch-{verb}", args=[own_batch.number])
    url = reverse("batch-detail", args=[own_batch.number])
    assert client.post(f"{url}{verb}/").status_code == 404
    assert client.patch(url, {"state": "approved"}).status_code in {403, 405}
