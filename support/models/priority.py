"""What counts how much when tickets are put in order."""

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models.customer import Language


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class PrioritySetting(models.Model):
    """The weights of the score, a single row; each is the most points its part can give.

    `plan_values` maps a plan (or a segment, as "segment:business") to 0..100, how much of `plan`
    it gives; a plan not named gives 0. The score is cut into bands at the three limits.
    """

    plan = models.PositiveSmallIntegerField(_("contract and plan"), default=20)
    priority_support = models.PositiveSmallIntegerField(_("priority support"), default=20)
    incident = models.PositiveSmallIntegerField(_("severity of the incident"), default=20)
    waiting = models.PositiveSmallIntegerField(_("waiting time"), default=15)
    # Waiting for this long (real time) gives all of it.
    waiting_full_minutes = models.PositiveIntegerField(
        _("waiting gives all after (minutes)"), default=24 * 60
    )
    breaches = models.PositiveSmallIntegerField(_("missed promises"), default=15)
    sentiment = models.PositiveSmallIntegerField(_("sentiment and words"), default=10)
    value = models.PositiveSmallIntegerField(_("value at risk"), default=20)
    # Minor units of EUR a month that give all of it; other currencies by plain figure.
    value_full_minor = models.PositiveBigIntegerField(
        _("value gives all from a monthly fee of (minor units)"), default=50_000
    )
    plan_values = models.JSONField(_("plans"), default=dict, blank=True)
    high_from = models.PositiveSmallIntegerField(_("high from"), default=45)
    urgent_from = models.PositiveSmallIntegerField(_("urgent from"), default=70)
    normal_from = models.PositiveSmallIntegerField(_("normal from"), default=15)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+",
        editable=False,
    )  # fmt: skip
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("priority weights")
        verbose_name_plural = _("priority weights")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="priority_setting_single")]

    def __str__(self) -> str:
        return str(_("priority weights"))

    def clean(self) -> None:
        """Raises ValidationError: the bands' limits are not in order, or nothing counts."""
        problems = {}
        if not self.normal_from < self.high_from < self.urgent_from:
            problems["high_from"] = _("The limits must rise: normal, high, urgent.")
        if self.urgent_from > 100:  # noqa: PLR2004 - the highest score
            problems["urgent_from"] = _("A score is at most 100.")
        if not isinstance(self.plan_values, dict) or any(
            type(value) is not int or not 0 <= value <= 100  # noqa: PLR2004 - percent
            for value in self.plan_values.values()
        ):
            problems["plan_values"] = _("Each plan has a value from 0 to 100.")
        if problems:
            raise ValidationError(problems)


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PriorityWord(models.Model):
    """A word or phrase that tells how somebody feels or what is at stake.

    `points` from -100 (angry, threatening, urgent) to 100 (content). Found whole, in any case.
    """

    language = models.CharField(_("language"), max_length=2, choices=Language.choices)
    word = models.CharField(_("word"), max_length=60)
    points = models.SmallIntegerField(_("points"))

    class Meta:
        verbose_name = _("priority word")
        verbose_name_plural = _("priority words")
        ordering = ["language", "word"]
        constraints = [
            models.UniqueConstraint(fields=["language", "word"], name="priority_word_once"),
            models.CheckConstraint(
                condition=Q(points__gte=-100, points__lte=100), name="priority_word_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.word
