from datetime import UTC, datetime

import pytest

from compensation.ledger import NewEntry, record_entries
from compensation.remaining import remaining
from tests.compensation.factories import AwardFactory

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)


def booked(award, kind, amount_minor):
    return NewEntry(
        kind=kind,
        customer_id=award.customer_id,
        award_id=award.pk,
        amount_minor=amount_minor,
        currency=award.currency,
        booked_at=NOON,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_remaining_is_the_sum_of_each_awards_entries(count, django_assert_num_queries):
    awards = [AwardFactory() for _ in range(count)]
    unbooked = AwardFactory()
    for award in awards:
        record_entries(
            [
                booked(award, "credit", 4990),
                booked(award, "consumed", -1200),
                booked(award, "consumed", -90),
                booked(award, "reversal", -700),
            ]
        )
    ids = [award.pk for award in [*awards, unbooked]]
    with django_assert_num_queries(1):
        left = remaining(ids)
    assert left == {award.pk: 3000 for award in awards} | {unbooked.pk: 0}


@pytest.mark.django_db
def test_remaining_of_nothing():
    assert remaining([]) == {}
