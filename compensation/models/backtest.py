"""What a version of a policy would have cost, worked out over the incidents of the past."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.states import Movable
from compensation.models.policy import PolicyVersion


class Backtest(Movable):
    """One run of `version` beside `against` over the incidents begun from `first` to `last`.

    Both are days of UTC and count. Nothing is awarded. `result` is what `backtesting.sums` makes:
    amounts in minor units by month and currency. It names customers by their ids alone, so that
    a person's erasure needs nothing here. The digests tell whether a version was changed since.

    A worker that dies leaves the row running; `moved_at` grows old and the next one begins anew.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waits")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    MOVES: ClassVar = {
        State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
        State.RUNNING: frozenset({State.RUNNING, State.DONE, State.FAILED, State.CANCELLED}),
        State.DONE: frozenset(),
        State.FAILED: frozenset(),
        State.CANCELLED: frozenset(),
    }

    version = models.ForeignKey(
        PolicyVersion, on_delete=models.CASCADE, related_name="backtests", verbose_name=_("version")
    )
    against = models.ForeignKey(
        PolicyVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("against"),
    )  # fmt: skip
    first = models.DateField(_("from"))
    last = models.DateField(_("to"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True,
        related_name="+", verbose_name=_("asked by"),
    )  # fmt: skip
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    began_at = models.DateTimeField(_("began"), null=True)
    moved_at = models.DateTimeField(_("last step"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    # How often a worker has begun it.
    attempts = models.PositiveSmallIntegerField(default=0)
    # Incidents, each counted once for each of the versions.
    steps_total = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    version_digest = models.CharField(max_length=64, blank=True)
    against_digest = models.CharField(max_length=64, blank=True)
    result = models.JSONField(default=dict)
    # Why it failed.
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("backtest")
        verbose_name_plural = _("backtests")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"], name="backtest_waiting", condition=Q(state__in=["queued", "running"])
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="backtest_range_ordered")
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.first:%Y-%m-%d} – {self.last:%Y-%m-%d}"

    @property
    def is_under_way(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def holding_out(self) -> list[PolicyVersion]:
        """Its versions that hold customers out, whom the figures count nevertheless."""
        both = [version for version in (self.version, self.against) if version is not None]
        return [version for version in both if version.holdout_percent]

    @property
    def more_customers(self) -> int:
        """How many more the tested version compensates; negative is fewer."""
        customers = self.result["customers"]
        return int(customers["ours"] - customers["theirs"])

    @property
    def fewer_customers(self) -> int:
        return -self.more_customers
