"""The hold-out group on the screens: counted apart, and not undone by the usual button."""

import pytest
from rest_framework.test import APIClient

from backoffice.accounts.roles import Role
from backoffice.rest.models import ApiKey, Scope
from backoffice.states import MoveError
from compensation.exclusions import HELD_OUT_STAYS, include_award
from compensation.models import Batch
from compensation.models.award import Exclusion
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.screens import page_of, signed_in, words
from tests.compensation.stories import priced_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    """Priced: two awards, two held out, one whose customer Stripe does not know."""
    batch = priced_batch(awards=2)
    for why in (Exclusion.HELD_OUT, Exclusion.HELD_OUT, Exclusion.NO_STRIPE_CUSTOMER):
        AwardFactory(batch=batch, state="excluded", exclusion=why)
    Batch.objects.filter(pk=batch.pk).update(summary={})
    batch.refresh_from_db()
    return batch


def test_batch_page_counts_the_group_apart(batch):
    client, _person = signed_in(Role.FINANCE)
    page = page_of(client, batch)
    assert "2 awards for 2 customers, 1 left out , 2 held out to measure the effect ." in page
    assert "2 held out to measure the effect Show" in page
    assert "Nobody can be taken back in by hand" in page
    rows = words(
        client.get(
            f"/admin/compensation/batch/{batch.pk}/awards/?which=left_out&exclusion=held_out"
        )
    )
    assert rows.count("held out to measure the effect") == 2
    assert "Take back in" not in rows


def test_held_out_award_is_not_taken_back_in(batch):
    award = batch.awards.filter(exclusion=Exclusion.HELD_OUT).first()
    with pytest.raises(MoveError) as refused:
        include_award(award, by=staff(Role.FINANCE))
    assert str(refused.value) == HELD_OUT_STAYS
    client, _person = signed_in(Role.FINANCE)
    door = f"/admin/compensation/award/{award.pk}/include/"
    assert "give goodwill from a ticket" in words(client.post(door, follow=True)).lower()
    award.refresh_from_db()
    assert (award.state, award.exclusion) == ("excluded", "held_out")


def test_group_of_an_incident_is_listed(batch):
    AwardFactory(state="excluded", exclusion=Exclusion.HELD_OUT)
    client, _person = signed_in(Role.FINANCE)
    page = words(
        client.get(f"/admin/compensation/award/?exclusion__exact=held_out&batch={batch.number}")
    )
    assert page.count("held out to measure the effect") >= 2
    _key, secret = ApiKey.objects.create_key(name="Shop", scopes=[Scope.BATCHES_READ])
    api = APIClient(headers={"Authorization": f"Api-Key {secret}"})
    asked = {"incident": batch.incident.number, "exclusion": "held_out"}
    rows = api.get("/api/v1/awards/", asked).json()["results"]
    held = batch.awards.filter(exclusion="held_out").order_by("-id")
    assert [row["id"] for row in rows] == [award.pk for award in held]
    assert {row["exclusion"] for row in rows} == {"held_out"}
    assert api.get("/api/v1/awards/", {"exclusion": "nonsense"}).status_code == 400
