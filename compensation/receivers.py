"""News from below."""

from typing import Any

from compensation.tasks import draft_batch
from incidents.models import Incident


def draft_when_resolved(sender: type[Incident], incident: Incident, **more: Any) -> None:
    """By Celery: pricing a million customers takes longer than a person wants to wait."""
    draft_batch.delay(incident.pk)
