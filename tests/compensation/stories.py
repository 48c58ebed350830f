"""Batches brought through the real verbs up to where a test begins."""

from typing import Any

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
