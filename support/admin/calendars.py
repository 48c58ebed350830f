"""Business calendars: the week, public holidays, closures, and the next two weeks by them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from compensation.admin.doors import post_only
from support.admin.calendar_form import (
    DAYS,
    CalendarForm,
    ClosureFormSet,
    clock,
    subdivisions,
    week_of,
    working_hours,
)
from support.business_time import BusinessCalendar
from support.models import Calendar, Closure
from support.sla import Closing, coming_days, hours_of, set_week

PREVIEW_DAYS = 14


class ClosureInline(TabularInline):  # type: ignore[misc]
    """Whoever may change the calendar may change these."""

    model = Closure
    formset = ClosureFormSet
    extra = 0
    tab = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("support.view_calendar")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("support.change_calendar")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("support.change_calendar")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("support.change_calendar")


@admin.register(Calendar)
class CalendarAdmin(ModelAdmin):  # type: ignore[misc]
    """Set up by leads. Every change has the deadlines that count in it worked out anew."""

    form = CalendarForm
    inlines = (ClosureInline,)
    list_display = ("name", "time_zone", "week", "holidays_of", "used_by")
    search_fields = ("name",)
    actions = None
    change_form_after_template = "admin/support/calendar/after.html"
    fieldsets = (
        (None, {"fields": ("name", "time_zone")}),
        (
            _("Hours"),
            {
                "fields": tuple(DAYS),
                "description": _(
                    "Several a day between commas: 09:00–12:00, 13:00–17:00. The day ends at 24:00."
                ),
            },
        ),
        (_("Public holidays"), {"fields": (("country", "subdivision"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Calendar]:
        queryset: QuerySet[Calendar] = super().get_queryset(request)
        return queryset.prefetch_related("slots").annotate(policies_count=Count("policies"))

    @display(description=_("hours"))
    def week(self, calendar: Calendar) -> str:
        """Days with the same hours together: Mon–Fri 09:00–17:00."""
        return week_words(calendar)

    @display(description=_("holidays of"))
    def holidays_of(self, calendar: Calendar) -> str:
        return "-".join(filter(None, (calendar.country, calendar.subdivision))) or "–"

    @display(description=_("policies"))
    def used_by(self, calendar: Any) -> int:
        return int(calendar.policies_count)

    def get_fieldsets(self, request: HttpRequest, obj: Calendar | None = None) -> Any:
        if self._may_change(request, obj):
            return self.fieldsets
        return ((None, {"fields": ("name", "time_zone", "week", "holidays_of")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Calendar | None = None) -> Any:
        return () if self._may_change(request, obj) else ("week", "holidays_of")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        calendar = self.get_object(request, object_id) if object_id else None
        context = {
            **(extra_context or {}),
            **(stored_preview(calendar) if calendar else {}),
            "previews": self._may_change(request, calendar),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def _may_change(self, request: HttpRequest, calendar: Calendar | None) -> bool:
        if calendar is None:
            return bool(self.has_add_permission(request))
        return bool(self.has_change_permission(request, calendar))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("parts/", wrap(self.parts_view), name="support_calendar_parts"),
            path("preview/", wrap(self.preview_view), name="support_calendar_preview"),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def parts_view(self, request: HttpRequest) -> HttpResponse:
        """The parts of a country as options."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        parts = subdivisions(request.GET.get("country", ""))
        return TemplateResponse(request, "admin/support/calendar/parts.html", {"parts": parts})

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The next two weeks as the form says them; nothing is saved."""
        if refusal := post_only(request, "support.change_calendar"):
            return refusal
        pk = request.GET.get("calendar", "")
        stored = self.get_queryset(request).filter(pk=pk).first() if pk.isdigit() else None
        form = self.get_form(request, stored)(request.POST, instance=stored)
        form.is_valid()
        context = preview(form, self._closures(request, form.instance))
        return TemplateResponse(request, "admin/support/calendar/preview.html", context)

    def _closures(self, request: HttpRequest, calendar: Calendar) -> Any:
        inline = ClosureInline(Calendar, self.admin_site)
        return inline.get_formset(request, calendar)(request.POST, instance=calendar)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        super().save_related(request, form, formsets, change)
        user: Any = request.user
        if form.has_changed() or any(formset.has_changed() for formset in formsets) or not change:
            set_week(form.instance, form.slots, by=user)


def preview(form: Any, closures: Any) -> dict[str, Any]:
    """The days, or what must be put right first."""
    problems = [error for errors in form.errors.values() for error in errors if errors]
    if not closures.is_valid():
        problems += closures.non_form_errors()
        problems += [e for row in closures.errors for errors in row.values() for e in errors]
    # The name is no matter of hours.
    if form.errors.keys() - {"name"} or not closures.is_valid():
        return {"problems": problems, "days": []}
    try:
        hours = closures.hours(form.slots)
    except ValidationError as error:
        return {"problems": error.messages, "days": []}
    closings = [
        Closing(row["name"], (row["first_day"], row["last_day"]))
        for row in closures.rows()
        if not row["is_open"]
    ]
    return shown(hours, closings)


def stored_preview(calendar: Calendar) -> dict[str, Any]:
    """The days as the calendar is kept."""
    hours = hours_of([calendar])[calendar.pk]
    if isinstance(hours, ValidationError):
        return {"problems": hours.messages, "days": []}
    closings = [
        Closing(closure.name, (closure.first_day, closure.last_day))
        for closure in calendar.closures.filter(is_open=False)
    ]
    return shown(hours, closings)


def shown(hours: BusinessCalendar, closings: list[Closing]) -> dict[str, Any]:
    today = timezone.localdate(timezone=hours.time_zone)
    days = coming_days(hours, closings, first=today, days=PREVIEW_DAYS)
    return {
        "problems": [],
        "days": [
            (
                day,
                ", ".join(f"{clock(a)}–{clock(b)}" for a, b in day.slots),
                working_hours(day.seconds),
            )
            for day in days
        ],
        "together": working_hours(sum(day.seconds for day in days)),
    }


def week_words(calendar: Calendar) -> str:
    names = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    week = week_of(calendar)
    groups: list[tuple[int, int, str]] = []
    for number, spans in enumerate(week):
        if groups and groups[-1][2] == spans and groups[-1][1] == number - 1:
            groups[-1] = (groups[-1][0], number, spans)
        elif spans:
            groups.append((number, number, spans))
    return "; ".join(
        f"{names[a]}–{names[b]} {spans}" if a != b else f"{names[a]} {spans}"
        for a, b, spans in groups
    )
