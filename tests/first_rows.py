"""The rows that migrations make, put back after a test that commits has emptied all tables."""

from typing import Any

from compensation.models import IssuingControl
from support.models import PrioritySetting, Queue


def put_back(**signal: Any) -> None:
    """Receives `post_migrate`, which Django also sends after emptying the tables."""
    Queue.objects.get_or_create(slug="general", defaults={"name": "General", "is_default": True})
    PrioritySetting.objects.get_or_create(id=1)
    IssuingControl.objects.get_or_create(id=1)
