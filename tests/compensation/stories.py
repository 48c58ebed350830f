"""Batches brought through the real verbs up to where a test begins."""

from typing import Any

from django.db import connection
from django.utils import timezone

from backoffice.accounts.roles import Role
from compensation.approval import approve_batch
from compensation.batches import submit_batch
from compensation.models import Batch
from tests.accounts.factories import staff
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    activate,
)


def priced_batch(*, awards: int = 1, **fields: Any) -> Any:
    """Priced just now under a version in force, with `awards` credits of EUR 49.90."""
    version = fields.pop("version", None) or activate(PolicyVersionFactory.create())
    batch = BatchFactory(version=version, state="priced", priced_at=timezone.now(), **fields)
    AwardFactory.create_batch(awards, batch=batch)
    return batch


def submitted_batch(*, awards: int = 1, **fields: Any) -> Batch:
    return submit_batch(priced_batch(awards=awards, **fields), by=staff(Role.FINANCE))


def approve(batch: Batch) -> Batch:
    """Submitted by one person if it isn't yet, approved by another."""
    if batch.state == "priced":
        submit_batch(batch, by=staff(Role.FINANCE))
    approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=batch.digest)
    return batch


def approved_batch(*, awards: int = 1, **fields: Any) -> Batch:
    return approve(submitted_batch(awards=awards, **fields))


def seed_sandbox(sandbox: Any, batch: Batch) -> None:
    """Make the batch's customers and subscriptions in the sandbox, under the ids we know."""
    sandbox.seed(
        [
            {
                "reference": award.customer.reference,
                "customer": {"id": award.customer.stripe_customer_id, "name": award.customer.name},
                "subscription": {
                    "id": award.subscription.stripe_subscription_id,
                    "items": [
                        {
                            "price_data": {
                                "currency": award.subscription.currency.lower(),
                                "unit_amount": award.subscription.fee_minor,
                                "recurring": {"interval": "month"},
                                "product_data": {"name": award.subscription.plan},
                            }
                        }
                    ],
                },
            }
            for award in batch.awards.select_related("customer", "subscription").order_by("id")
            if award.subscription
        ]
    )


def change_behind_our_back(award: Any, **fields: Any) -> None:
    """As somebody with the database's own powers would: past all triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        type(award).objects.filter(pk=award.pk).update(**fields)
        cursor.execute("SET LOCAL session_replication_role = origin")
