"""What is promised about answering, and when the clock runs."""

import pghistory
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from support.models.queue import Queue, validate_time_zone
from support.models.ticket import Band


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class Calendar(models.Model):
    """Business hours in a time zone: slots a week, less public holidays and closures.

    `country` (ISO 3166) and `subdivision` choose the public holidays; empty: none.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    country = models.CharField(_("holidays of"), max_length=2, blank=True)
    subdivision = models.CharField(_("part of the country"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("business calendar")
        verbose_name_plural = _("business calendars")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarSlot(models.Model):
    """Hours of one weekday, in the calendar's time zone. Minutes of the day; 1440 is midnight."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="slots")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    from_minute = models.PositiveSmallIntegerField(_("from"))
    to_minute = models.PositiveSmallIntegerField(_("to"))

    class Meta:
        verbose_name = _("business hours")
        verbose_name_plural = _("business hours")
        ordering = ["weekday", "from_minute"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_minute__gt=F("from_minute"), to_minute__lte=1440),
                name="calendar_slot_has_length",
                violation_error_message=_("Hours must end after they begin, at 24:00 the latest."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.from_minute}-{self.to_minute}"


class Closure(models.Model):
    """Days on which a calendar is closed, both included, or `is_open` in spite of a holiday."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="closures")
    name = models.CharField(_("name"), max_length=100)
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))
    is_open = models.BooleanField(_("open nevertheless"), default=False)

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        ordering = ["first_day"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="closure_has_length",
                violation_error_message=_("The last day cannot be before the first."),
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class SlaPolicy(models.Model):
    """Promises for the tickets that `condition` fits; the first in order counts.

    Times are minutes of business time; empty: nothing promised. `condition` is in the language of
    `support.conditions`; empty fits every ticket. A warning comes `warn_minutes` (real time)
    before a deadline. What happens at a breach: `raise_to` a band, `give_to` a queue,
    `give_to_agent` or nobody (`unassigns`), `notify`.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    condition = models.TextField(_("condition"), blank=True)
    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, related_name="policies", verbose_name=_("calendar")
    )
    first_response_minutes = models.PositiveIntegerField(
        _("first response"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    next_response_minutes = models.PositiveIntegerField(
        _("next response"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    resolution_minutes = models.PositiveIntegerField(
        _("resolution"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    pauses_on_hold = models.BooleanField(_("rests while on hold"), default=True)
    warn_minutes = models.PositiveIntegerField(_("warn before"), default=30)
    raise_to = models.PositiveSmallIntegerField(
        _("raise to"), choices=Band.choices, null=True, blank=True
    )
    give_to = models.ForeignKey(
        Queue, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("give to queue"),
    )  # fmt: skip
    give_to_agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+", verbose_name=_("give to agent"),
    )  # fmt: skip
    unassigns = models.BooleanField(_("take from its agent"), default=False)
    notify = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("notify"), blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Recalculation(models.Model):
    """That deadlines must be worked out anew, since a promise or a calendar has changed.

    Tickets are done in slices by their id, and `last_ticket` is committed with each slice, so a
    killed worker loses nothing. With a `calendar`, only the tickets under its policies.
    """

    calendar = models.ForeignKey(
        Calendar, on_delete=models.CASCADE, null=True, related_name="recalculations"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    last_ticket = models.PositiveBigIntegerField(default=0)
    tickets_count = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recalculation")
        verbose_name_plural = _("recalculations")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar"],
                name="recalculation_one_open",
                condition=Q(done_at__isnull=True),
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.calendar or _('all tickets')}, {self.requested_at:%Y-%m-%d %H:%M}"
