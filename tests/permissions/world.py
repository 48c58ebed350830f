"""One row of everything, so that every door has something behind it."""

from datetime import date, timedelta

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from backoffice.customers import portal
from backoffice.customers.importing import Report
from backoffice.customers.models import CustomerImport, PortalSession
from backoffice.rest.models import ApiKey
from compensation import ledger
from compensation.models import (
    ApprovalThreshold,
    Award,
    Backtest,
    Budget,
    Claim,
    Finding,
    LedgerEntry,
    ReconciliationRun,
    Reversal,
    ReversalRequest,
)
from tests.accounts.factories import UserFactory
from tests.compensation.factories import AwardFactory, BatchFactory, RuleFactory, activate
from tests.customers.factories import ComponentUseFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, OutageFactory
from tests.permissions import desk


def build() -> dict[str, object]:
    """The arguments that the table's rows speak of, by name."""
    use = ComponentUseFactory.create()
    outage = OutageFactory.create(component=use.component)
    cohort = CohortFactory.create(incident=outage.incident)
    exposure = ExposureFactory.create(cohort=cohort, subscription=use.subscription)
    version = activate(RuleFactory.create().version)
    batch = BatchFactory.create(incident=outage.incident, version=version)
    award = AwardFactory.create(subscription=use.subscription, batch=batch)
    _, link = portal.open_session(award.customer, created_by="test")
    ledger.record_entries(
        [ledger.NewEntry(kind="credit", customer_id=award.customer_id, booked_at=timezone.now())]
    )
    made: dict[str, object] = {
        "outage": outage.pk,
        "component": use.component_id,
        "cohort": cohort.pk,
        "exposure": exposure.pk,
        "incident": outage.incident_id,
        "incident_number": outage.incident.number,
        "customer": award.customer_id,
        "reference": award.customer.reference,
        "subscription": use.subscription_id,
        "policy": version.policy_id,
        "policy_key": version.policy.key,
        "version": version.pk,
        "draft": RuleFactory.create(version__policy=version.policy, version__number=2).version_id,
        "backtest": Backtest.objects.create(
            version=version, first=date(2026, 1, 1), last=date(2026, 1, 31)
        ).pk,
        "batch": batch.pk,
        "batch_number": batch.number,
        "award": award.pk,
        "unknown_award": AwardFactory.create(batch=batch, state="unknown").pk,
        "entry": LedgerEntry.objects.get().pk,
        "threshold": ApprovalThreshold.objects.create(currency="EUR", amount_minor=1_000_000).pk,
        "budget": Budget.objects.create(span="batch", currency="EUR", amount_minor=1_000_000).pk,
        **_reversal(award),
        "claim": _claim(award),
        "control": 1,
        "user": UserFactory.create().pk,
        "group": Group.objects.order_by("pk")[0].pk,
        "content_type": ContentType.objects.get_for_model(ApprovalThreshold).pk,
        "api_key": ApiKey.objects.create_key(name="other")[0].pk,
        "portal_session": PortalSession.objects.get().pk,
        "portal_token": link.rstrip("/").rpartition("/")[2],
        "customer_import": _customer_import(),
    }
    made |= _reconciliation(award.customer_id)
    return desk.worlds(made)


def _reconciliation(customer: int) -> dict[str, object]:
    run = ReconciliationRun.objects.create()
    now = timezone.now()
    finding = Finding.objects.create(
        identity="unknown:cbtxn_1", kind="unknown", customer_id=customer, first_run=run,
        last_run=run, found_at=now, seen_at=now,
    )  # fmt: skip
    return {"run": run.pk, "finding": finding.pk}


def _reversal(award: Award) -> dict[str, object]:
    asked = ReversalRequest.objects.create(award=award, cause="mistake", reason="Wrong list")
    of_award = Reversal.objects.create(request=asked, award=award, customer=award.customer)
    return {"reversal": asked.pk, "reversal_of_award": of_award.pk}


def _claim(award: Award) -> int:
    now = timezone.now()
    return Claim.objects.create(
        customer=award.customer, starts_at=now - timedelta(hours=1), ends_at=now,
        state="with_person", outcome="person", key="1",
    ).pk  # fmt: skip


def _customer_import() -> int:
    report = Report("a.csv", "0" * 64, date(2026, 10, 14), dry_run=True)
    return CustomerImport.objects.create(file_name="a.csv", map_text="", report=report.as_dict()).pk
