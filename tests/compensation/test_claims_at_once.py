"""Claims at the same moment: one batch, one claim, one award."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from compensation.claims.filing import ClaimedBeforeError
from compensation.models import Award, Batch, Claim
from tests.compensation.claiming import claim, missed, outage, promise, user_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls):
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(10)
            return call()
        except ClaimedBeforeError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def found():
    promise()
    return outage(began=timezone.now() - timedelta(days=1))


def test_claims_of_several_share_one_batch(found):
    hit = [missed(found), *(user_of(found.component) for _ in range(3))]
    span = {"starts_at": found.starts_at, "ends_at": found.ends_at}
    said = at_once(
        *(lambda one=one, n=n: claim(one, key=f"k{n}", **span) for n, one in enumerate(hit))
    )
    assert {each.outcome for each in said} == {"proposed"}
    batch = Batch.objects.get()
    assert batch.awards.filter(state="proposed").count() == 4


def test_one_claim_sent_twice_at_once_is_one(found):
    subscription = missed(found)
    span = {"starts_at": found.starts_at, "ends_at": found.ends_at}
    same = at_once(*(lambda: claim(subscription, key="same", **span) for _ in range(3)))
    assert len({each.pk for each in same}) == 1
    said = at_once(*(lambda n=n: claim(subscription, key=f"k{n}", **span) for n in range(3)))
    assert all(isinstance(each, ClaimedBeforeError) for each in said)
    assert (Claim.objects.count(), Award.objects.count()) == (1, 1)
