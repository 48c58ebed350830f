import pytest

from compensation import stripe_calls
from compensation.issuing import issue
from compensation.models import Award
from tests.log_lines import captured

pytestmark = pytest.mark.django_db


def test_issuing_tells_numbers_and_nothing_of_the_person(batch, issuing, monkeypatch):
    awards = list(Award.objects.filter(batch=batch).select_related("customer").order_by("id"))
    gone, breaking, *fine = awards
    issuing.client().v1.customers.delete(gone.destination)
    send, broken = stripe_calls.create_credit, []

    def breaks_once(client, customer, params, *, key):
        if customer == breaking.destination and not broken:
            broken.append(key)
            raise RuntimeError(f"{breaking.customer.email} with sk_live_topsecret")
        return send(client, customer, params, key=key)

    monkeypatch.setattr(stripe_calls, "create_credit", breaks_once)
    with captured() as lines:
        issue()
    told = lines.all("awards issued")
    numbers = sorted(number for line in told for number in line["award_ids"])
    assert numbers == [award.pk for award in (breaking, *fine)]
    assert {line["batch_id"] for line in told} == {batch.pk}
    (crash,) = lines.all("issuing: a call failed")
    assert (crash["award_id"], crash["batch_id"]) == (breaking.pk, batch.pk)
    assert "[e-mail] with [redacted]" in crash["exception"]
    (failed,) = lines.all("award failed")
    assert (failed["award_id"], failed["error_code"]) == (gone.pk, "resource_missing")
    for award in awards:
        assert award.customer.email not in lines.text
        assert award.customer.name not in lines.text
    assert "topsecret" not in lines.text
    assert "sk_test" not in lines.text
