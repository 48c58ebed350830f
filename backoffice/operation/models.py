"""That the workers live."""

from django.db import models
from django.db.models import Q


class Heartbeat(models.Model):
    """When a worker last did a task that beat had sent: a single row."""

    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="heartbeat_single")]

    def __str__(self) -> str:
        return str(self.at)
