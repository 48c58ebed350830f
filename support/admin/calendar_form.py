"""A calendar as people write it: a line of hours for each weekday, closures below."""

import itertools
import re
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from holidays.registry import COUNTRIES
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from support.business_time import BusinessCalendar
from support.models import Calendar, CalendarSlot
from support.sla import business_calendar, check_opens, public_holidays

SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to|bis)\s*(\d{1,2})(?:[:.](\d{2}))?")
OFFICE = "09:00–17:00"
WORKDAYS = 5
DAYS = [f"day_{number}" for number in range(7)]


class HoursField(forms.CharField):
    """09:00–12:00, 13:00–17:00 as pairs of minutes of the day; empty: closed."""

    def __init__(self, weekday: CalendarSlot.Weekday) -> None:
        super().__init__(
            label=weekday.label,
            required=False,
            max_length=200,
            widget=UnfoldAdminTextInputWidget(
                {"placeholder": gettext_lazy("closed"), "autocomplete": "off"}
            ),
        )

    def clean(self, value: Any) -> list[tuple[int, int]]:
        parts = [part.strip() for part in super().clean(value).split(",")]
        spans = sorted(_span(part) for part in parts if part)
        for (_start, end), (following, _end) in itertools.pairwise(spans):
            if following < end:
                raise ValidationError(_("These hours overlap: write each once."))
        return spans


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg]
    """`hours` is what the form says, stored or not, once it and its closures are valid."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), widget=UnfoldAdminSelectWidget)
    country = forms.ChoiceField(
        label=gettext_lazy("Public holidays of"), required=False, widget=UnfoldAdminSelectWidget
    )
    subdivision = forms.ChoiceField(
        label=gettext_lazy("Part of the country"), required=False, widget=UnfoldAdminSelectWidget
    )

    day_0 = HoursField(CalendarSlot.Weekday.MONDAY)
    day_1 = HoursField(CalendarSlot.Weekday.TUESDAY)
    day_2 = HoursField(CalendarSlot.Weekday.WEDNESDAY)
    day_3 = HoursField(CalendarSlot.Weekday.THURSDAY)
    day_4 = HoursField(CalendarSlot.Weekday.FRIDAY)
    day_5 = HoursField(CalendarSlot.Weekday.SATURDAY)
    day_6 = HoursField(CalendarSlot.Weekday.SUNDAY)

    class Meta:
        model = Calendar
        fields = ("name", "time_zone", "country", "subdivision")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        if "time_zone" not in fields:
            return  # shown to a reader, as text
        fields["time_zone"].choices = [(name, name) for name in sorted(available_timezones())]
        if not self.instance.pk:
            self.initial.setdefault("time_zone", timezone.get_current_timezone_name())
        fields["country"].choices = [("", _("no public holidays")), *countries()]
        country = self["country"].value() or ""
        fields["subdivision"].choices = [("", _("all of it")), *subdivisions(str(country))]
        week = week_of(self.instance)
        for number, name in enumerate(DAYS):
            self.initial.setdefault(name, week[number])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.slots = [
            (number, start, end)
            for number, name in enumerate(DAYS)
            for start, end in cleaned.get(name, ())
        ]
        if not self.slots and not self.errors:
            raise ValidationError(_("A calendar needs working hours on one day at least."))
        # For the closures, which are checked together with the week.
        self.instance.week = None if self.errors else self.slots
        return cleaned


class ClosureFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Refuses closures that leave no working hours."""

    def clean(self) -> None:
        super().clean()
        week = getattr(self.instance, "week", None)
        if week is not None and not any(self.errors):
            check_opens(self.hours(week))

    def hours(self, week: list[tuple[int, int, int]]) -> BusinessCalendar:
        """The calendar as the page says it.

        Raises:
            ValidationError: it cannot be counted in.
        """
        spans: dict[bool, list[Any]] = {False: [], True: []}
        for row in self.rows():
            spans[row["is_open"]].append((row["first_day"], row["last_day"]))
        return business_calendar(self.instance, week, spans[False], spans[True])

    def rows(self) -> list[dict[str, Any]]:
        """The closures that are not being deleted."""
        return [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("first_day") and not form.cleaned_data.get("DELETE")
        ]


def week_of(calendar: Calendar) -> list[str]:
    """The stored hours as one writes them, by weekday; those of an office for a new calendar."""
    if calendar.pk is None:
        return [OFFICE] * WORKDAYS + [""] * (7 - WORKDAYS)
    week: list[list[str]] = [[] for _day in range(7)]
    for slot in calendar.slots.all():
        week[slot.weekday].append(f"{clock(slot.from_minute)}–{clock(slot.to_minute)}")
    return [", ".join(spans) for spans in week]


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def working_hours(seconds: int) -> str:
    """64 h 30 min: a day of work is no day of 24 hours, so hours are not made into days."""
    hours, minutes = divmod(seconds // 60, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join(filter(None, parts)) or "–"


def countries() -> list[tuple[str, str]]:
    """Code and name of each country whose public holidays are known, by name."""
    names = Locale((get_language() or "en")[:2]).territories
    codes = {entry[1] for entry in COUNTRIES.values()}
    return sorted(((code, names.get(code, code)) for code in codes), key=lambda pair: pair[1])


def subdivisions(country: str) -> list[tuple[str, str]]:
    """Code and name of each part of a country that has public holidays of its own."""
    try:
        known = public_holidays(country)
    except ValidationError:
        return []
    if known is None:
        return []
    aliases = known.get_subdivision_aliases()
    return sorted(
        ((code, names[0] if names else code) for code, names in aliases.items()),
        key=lambda pair: pair[1],
    )


def _span(text: str) -> tuple[int, int]:
    match = SPAN.fullmatch(text)
    if match is None:
        raise ValidationError(
            _("“%(text)s” are no hours: write 09:00–17:00, or 09:00–12:00, 13:00–17:00.")
            % {"text": text}
        )
    start, end = (int(match[n]) * 60 + int(match[n + 1] or 0) for n in (1, 3))
    if any(int(match[n] or 0) >= 60 for n in (2, 4)) or end > 24 * 60:  # noqa: PLR2004
        raise ValidationError(_("“%(text)s” is not within a day.") % {"text": text})
    if end <= start:
        raise ValidationError(
            _("“%(text)s” ends before it begins: hours through midnight end at 24:00 and go on the"
              " next day from 00:00.") % {"text": text}
        )  # fmt: skip
    return start, end
