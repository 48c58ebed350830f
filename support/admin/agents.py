"""Agents: how much they are given, what they speak and know, and when they are away."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from backoffice.display import moment
from compensation.admin.doors import call
from support.admin.desk_forms import AbsenceForm, AgentForm
from support.assignment import end_absence, set_absence
from support.models import Agent, Ticket
from support.models.ticket import ACTIVE


@admin.register(Agent)
class AgentAdmin(ModelAdmin):  # type: ignore[misc]
    """Leads change them; who is away says so on their own page."""

    form = AgentForm
    empty_hint = later("Nobody yet: add those who answer tickets, and the desk can give them some.")
    list_display = ("user", "load", "presence", "speaks", "knows")
    list_filter = (("takes_part", BooleanRadioFilter),)
    list_select_related = ("user", "stand_in")
    search_fields = ("user__email", "user__full_name")
    ordering = ("user__full_name", "user__email")
    change_form_outer_before_template = "admin/support/agent/absence.html"
    add_fieldsets = (
        (None, {"fields": ("user", "capacity", "takes_part", "languages", "skills")}),
        (later("Mail"), {"fields": ("signature",)}),
    )
    fieldsets = (
        (None, {"fields": ("capacity", "takes_part", "languages", "skills")}),
        (later("Mail"), {"fields": ("signature",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("<int:pk>/absence/", wrap(self.absence_view), name="support_agent_absence"),
            path("<int:pk>/back/", wrap(self.back_view), name="support_agent_back"),
            *urls,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        agents: QuerySet[Agent] = super().get_queryset(request)
        theirs = Ticket.objects.filter(assignee=OuterRef("user"), status__in=ACTIVE)
        counted = theirs.order_by().values("assignee").annotate(load=Count("pk"))
        return agents.annotate(load_now=Coalesce(Subquery(counted.values("load")), 0))

    def get_fieldsets(self, request: HttpRequest, obj: Agent | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        agent = self._agent(object_id) if self.has_view_permission(request) else None
        more: dict[str, Any] = {}
        if agent:
            typed = {
                name: request.GET[name]
                for name in AbsenceForm.base_fields.keys() & request.GET.keys()
            }
            form = AbsenceForm(agent=agent, initial={"away_from": timezone.localtime()} | typed)
            more = {
                "agent": agent,
                "absence": form,
                "is_away": agent.is_away(timezone.now()),
                "may_set_absence": self._may_set(request, agent),
            }
        answer: HttpResponse = super().changeform_view(
            request, object_id, form_url, (extra_context or {}) | more
        )
        return answer

    def absence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        agent = self._own(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = AbsenceForm(request.POST, agent=agent)
        by: Any = request.user
        if form.is_valid():
            said = _("%(agent)s is marked as away.") % {"agent": agent}
            if call(request, lambda: set_absence(agent, **form.cleaned_data, by=by), said):
                return redirect("admin:support_agent_change", pk)
        else:
            wrong = [
                f"{form[name].label}: {' '.join(map(str, why))}"
                for name, why in form.errors.items()
            ]
            self.message_user(request, " ".join(wrong), "error")
        # What was typed comes back with the reason why it cannot be.
        typed = {name: request.POST.get(name, "") for name in form.fields}
        page = reverse("admin:support_agent_change", args=[pk])
        return redirect(f"{page}?{urlencode(typed)}")

    def back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        agent = self._own(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        by: Any = request.user
        said = _("%(agent)s is back.") % {"agent": agent}
        call(request, lambda: end_absence(agent, by=by), said)
        return redirect("admin:support_agent_change", pk)

    def _own(self, request: HttpRequest, pk: int) -> Agent:
        if not self.has_view_permission(request):
            raise PermissionDenied
        agent = get_object_or_404(Agent.objects.select_related("user", "stand_in"), pk=pk)
        if not self._may_set(request, agent):
            raise PermissionDenied
        return agent

    def _may_set(self, request: HttpRequest, agent: Agent) -> bool:
        own = agent.user_id == request.user.pk and request.user.has_perm("support.answer_ticket")
        return own or request.user.has_perm("support.change_agent")

    def _agent(self, object_id: str | None) -> Agent | None:
        agents = Agent.objects.select_related("user", "stand_in")
        if object_id is None or not object_id.isdecimal():
            return None
        return agents.filter(pk=object_id).first()

    @display(description=later("open tickets"), ordering="load_now")
    def load(self, agent: Any) -> str:
        return _("%(load)s of %(capacity)s") % {"load": agent.load_now, "capacity": agent.capacity}

    @display(
        description=later("is there"),
        label={"away": "warning", "there": "success", "off": "info", "planned": "success"},
    )
    def presence(self, agent: Agent) -> tuple[str, str | SafeString]:
        now = timezone.now()
        if agent.is_away(now):
            if agent.away_until is None:
                return "away", _("away")
            return "away", format_html(_("away until {}"), moment(agent.away_until))
        if agent.away_from and agent.away_from > now:
            return "planned", format_html(_("there, away from {}"), moment(agent.away_from))
        if not agent.takes_part:
            return "off", _("takes tickets by hand")
        return "there", _("there")

    @display(description=later("languages"))
    def speaks(self, agent: Agent) -> str:
        return ", ".join(agent.languages) or _("all")

    @display(description=later("skills"))
    def knows(self, agent: Agent) -> str:
        return ", ".join(agent.skills) or "–"
