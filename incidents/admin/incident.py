"""Incidents as a list, and each as the page its manager works on."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Case, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from backoffice.display import duration, moment
from incidents.admin import cohort_doors, doors
from incidents.admin.page import affected_by, page
from incidents.models import Cohort, Incident

STATE_LABELS = {
    "investigating": "danger",
    "identified": "danger",
    "monitoring": "warning",
    "resolved": "success",
    "scheduled": "info",
    "in_progress": "warning",
    "verifying": "warning",
    "completed": "success",
}
SEVERITY_LABELS = {"critical": "danger", "major": "danger", "minor": "warning", "none": "info"}


class RunningFilter(admin.SimpleListFilter):
    title = _("still running")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("yes")), ("0", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        running = Incident.objects.running().values("pk")
        if self.value() == "1":
            return queryset.filter(pk__in=running)
        return queryset.exclude(pk__in=running) if self.value() == "0" else queryset


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):  # type: ignore[misc]
    """What runs comes first, then the newest. Counts are read from the cohorts."""

    list_display = (
        "what", "state_label", "severity_label", "hit", "started", "lasted", "commander",
    )  # fmt: skip
    list_select_related = ("commander",)
    list_filter = (
        RunningFilter,
        ("kind", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("severity", ChoicesDropdownFilter),
    )
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("number", "title")
    search_help_text = _("Number or title")
    show_full_result_count = False
    sortable_by = ()
    actions = None
    actions_list = ("announce",)

    @action(description=_("Announce a maintenance"), url_path="announce", permissions=["add"])
    def announce(self, request: HttpRequest) -> HttpResponse:
        return doors.schedule(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        affected = (
            Cohort.objects.filter(incident=OuterRef("pk"))
            .order_by()
            .values("incident")
            .annotate(n=Sum("exposure_count"))
            .values("n")
        )
        running = Incident.objects.running().values("pk")
        # Not super's: it would order by `runs` before that is there.
        return Incident.objects.annotate(
            affected=Coalesce(Subquery(affected), 0),
            runs=Case(
                When(pk__in=running, then=Value(value=True)),
                default=Value(value=False),
                output_field=BooleanField(),
            ),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-runs", "-started_at", "-pk")

    @display(description=_("incident"), header=True)
    def what(self, incident: Incident) -> tuple[str, Any]:
        is_work = incident.kind == Incident.Kind.MAINTENANCE
        kind = f", {incident.get_kind_display()}" if is_work else ""
        return incident.title, f"{incident.number}{kind}"

    @display(description=_("state"), label=STATE_LABELS)
    def state_label(self, incident: Incident) -> tuple[str, str]:
        return incident.state, incident.get_state_display()

    @display(description=_("severity"), label=SEVERITY_LABELS)
    def severity_label(self, incident: Incident) -> tuple[str, str]:
        return incident.severity, incident.get_severity_display()

    @display(description=_("affected"))
    def hit(self, incident: Any) -> str:
        return f"{incident.affected:,}" if incident.cohorts_resolved_at else "–"

    @display(description=_("started"))
    def started(self, incident: Incident) -> SafeString | str:
        return moment(incident.started_at)

    @display(description=_("lasted"))
    def lasted(self, incident: Incident) -> str:
        if incident.resolved_at is None:
            return "–"
        return duration(int((incident.resolved_at - incident.started_at).total_seconds()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = [
            ("<int:pk>/affected/", self.affected_view, "affected"),
            ("<int:pk>/edit/", doors.edit, "edit"),
            ("<int:pk>/recount/", doors.recount, "recount"),
            ("<int:pk>/move/<slug:verb>/", doors.move, "move"),
            ("<int:pk>/outages/add/", doors.add_outage, "add_outage"),
            ("<int:pk>/outages/<int:outage_pk>/", doors.change_outage, "change_outage"),
            ("<int:pk>/outages/<int:outage_pk>/end/", doors.end_outage, "end_outage"),
            ("<int:pk>/outages/<int:outage_pk>/remove/", doors.remove_outage, "remove_outage"),
            ("<int:pk>/cohorts/add/", cohort_doors.add_cohort, "add_cohort"),
            ("<int:pk>/cohorts/upload/", cohort_doors.upload_list, "upload_list"),
            ("<int:pk>/cohorts/<int:cohort_pk>/remove/", cohort_doors.remove_cohort,
             "remove_cohort"),
        ]  # fmt: skip
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            *(path(url, wrap(view), name=f"incidents_incident_{name}") for url, view, name in own),
            *urls,
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Declaring an incident."""
        return doors.declare(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The incident's page; what changes it are doors of their own."""
        incident = self._seen(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": incident.number,
            "original": incident,
            **page(request, incident),
        }
        return TemplateResponse(request, "admin/incidents/incident/page.html", context)

    def affected_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The numbers alone, to be loaded again while it runs."""
        incident = self._seen(request, str(pk))
        context = {
            "incident": incident,
            "affected": affected_by(incident),
            "may": {"change_incident": request.user.has_perm("incidents.change_incident")},
        }
        return TemplateResponse(request, "admin/incidents/incident/affected.html", context)

    def _seen(self, request: HttpRequest, pk: str) -> Incident:
        if not pk.isdecimal():
            raise Http404("There is no such incident.")
        incident = get_object_or_404(Incident.objects.select_related("commander"), pk=pk)
        if not self.has_view_permission(request, incident):
            raise PermissionDenied
        return incident
