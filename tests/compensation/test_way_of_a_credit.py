"""From an exposure to the customer's balance, through the real verbs."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.batches import create_batch, price_batch, submit_batch
from compensation.credits import credits_of
from compensation.exclusions import exclude_award, include_award
from compensation.issuing import issue
from compensation.summaries import summarise
from tests.accounts.factories import staff
from tests.compensation.factories import RuleFactory, activate
from tests.compensation.stories import approve, seed_sandbox, submitted_batch
from tests.incidents.factories import CohortFactory, ExposureFactory, OutageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def exposures():
    outage = OutageFactory()
    cohort = CohortFactory(incident=outage.incident)
    return ExposureFactory.create_batch(3, cohort=cohort)


@pytest.fixture
def version():
    return activate(RuleFactory(credit_value=Decimal(10)).version)


def test_way_of_a_credit(exposures, version, issuing):
    finance = staff(Role.FINANCE)
    batch = price_batch(create_batch(exposures[0].incident, version, by=finance), by=finance)
    assert (batch.state, batch.summary) == ("priced", {})
    assert summarise(batch)["amounts_minor"] == {"EUR": 3 * 4990}
    exclude_award(batch.awards.first(), by=finance, reason="Test account")
    submit_batch(price_batch(batch, by=finance), by=finance)
    seed_sandbox(issuing, batch)
    approve(batch)
    assert issue().issued == 2
    credited = issuing.totals("award")["currencies"]["eur"]
    assert (credited["credits"], credited["credited_minor"]) == (2, 9980)
    balances = [credits_of(each.customer).balances_minor for each in exposures]
    assert sorted(balances, key=len) == [{}, {"EUR": 4990}, {"EUR": 4990}]


def test_price_batch_keeps_out_what_was_left_out_before_submission(exposures, version):
    """Priced anew, it is still not to be slipped in after the submission."""
    finance = staff(Role.FINANCE)
    batch = price_batch(create_batch(exposures[0].incident, version, by=finance), by=finance)
    exclude_award(batch.awards.first(), by=finance, reason="Test account")
    submit_batch(price_batch(batch, by=finance), by=finance)
    left_out = batch.awards.get(state="excluded")
    with pytest.raises(MoveError, match="submitted without this award"):
        include_award(left_out, by=finance)


def test_price_batch_refuses_others_and_what_is_submitted(exposures, version):
    finance = staff(Role.FINANCE)
    batch = create_batch(exposures[0].incident, version, by=finance)
    with pytest.raises(PermissionDenied):
        price_batch(batch, by=staff(Role.FINANCE_APPROVER))
    with pytest.raises(MoveError, match="cannot be priced again"):
        price_batch(submitted_batch(), by=finance)
