"""Rules: written by leads, tried on a real ticket first, with a log of what they did."""

import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from support.admin.rule_form import RuleForm
from support.automation import sentence, try_rule
from support.models import AutomationRule, RuleRun, Ticket

TRIAL = "admin/support/rule/trial.html"


@admin.register(AutomationRule)
class AutomationRuleAdmin(ModelAdmin):  # type: ignore[misc]
    """In the order in which they run."""

    form = RuleForm
    change_form_template = "admin/support/rule/change_form.html"
    add_form_template = "admin/support/rule/change_form.html"
    empty_hint = later(
        "No rule yet: a rule says what is done with tickets when something happens, or so long "
        "after."
    )
    list_display = ("position", "name", "reads", "state", "runs")
    list_display_links = ("name",)

    class Media:
        css = {"all": ["support/setup.css"]}

    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name",)
    ordering = ("position", "id")
    fieldsets = (
        (None, {"fields": ("name", "is_active", "position", "stops")}),
        (later("When"), {"fields": ("on_events", ("after_minutes", "after_field"))}),
        (later("If"), {"fields": ("condition",)}),
        (later("Then"), {"fields": ("actions",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("try/", view, name="support_automationrule_try"), *urls]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AutomationRule]:
        rules: QuerySet[AutomationRule] = super().get_queryset(request)
        last = RuleRun.objects.filter(rule=OuterRef("pk")).order_by("-id").values("error")
        return rules.annotate(last_error=Subquery(last[:1]))

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """The rule as it stands in the form, on a ticket that the reader may see."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return TemplateResponse(request, TRIAL, _tried(request))

    @display(description=later("reads"))
    def reads(self, rule: AutomationRule) -> SafeString:
        words = sentence(rule)
        return format_html(
            "{}", render_to_string("admin/support/rule/sentence.html", {"rule": words})
        )

    @display(
        description=later("state"),
        label={"on": "success", "failing": "danger", "off": "info"},
    )
    def state(self, rule: Any) -> tuple[str, str]:
        if not rule.is_active:
            return "off", _("off")
        return ("failing", _("failed last time")) if rule.last_error else ("on", _("on"))

    @display(description=later("log"))
    def runs(self, rule: AutomationRule) -> SafeString:
        url = reverse("admin:support_rulerun_changelist")
        return format_html('<a href="{}?rule__id__exact={}">{}</a>', url, rule.pk, _("runs"))


def _tried(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST.get("try_ticket", "")
    number = re.sub(r"\D", "", typed)
    if not number:
        return {"hint": _("Give the number of a ticket to see whether the rule would act on it.")}
    ticket = Ticket.objects.seen_by(request.user).filter(pk=int(number[:18])).first()
    if ticket is None:
        return {"hint": _("You see no ticket {number}.").format(number=typed[:20])}
    # As if its name were free: the rule may be on file already.
    form = RuleForm(request.POST, instance=AutomationRule())
    form.is_valid()
    about = ("condition", "actions")
    wrong = [text for name in about for text in form.errors.get(name, [])]
    context: dict[str, Any] = {"ticket": ticket, "wrong": wrong}
    if not wrong:
        form.instance.condition = form.cleaned_data.get("condition", "")
        context["trial"] = try_rule(form.instance, ticket)
    return context


@admin.register(RuleRun)
class RuleRunAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """What rules did, newest first, and what they could not do."""

    empty_hint = later("No rule has run yet.")
    list_display = ("when", "rule", "ticket_link", "set_off", "outcome", "error")
    list_select_related = ("rule", "ticket", "event")
    list_filter = (("rule", RelatedDropdownFilter),)
    search_fields = ("ticket__id",)
    fields = ("when", "rule", "ticket_link", "set_off", "outcome_words", "error")
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the ticket's number only."""
        number = search_term.strip().upper().removeprefix("T-")
        if not number:
            return queryset, False
        is_number = number.isdecimal() and len(number) < 19  # noqa: PLR2004 - of 64 bits
        return (queryset.filter(ticket=int(number)) if is_number else queryset.none()), False

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> RuleRun | None:
        # Otherwise the admin would lead whoever may not see it on to its first page.
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: RuleRun | None = super().get_object(request, object_id, *more)
        return found

    @display(description=later("when"), ordering="id")
    def when(self, run: RuleRun) -> SafeString | str:
        return moment(run.at)

    @display(description=later("ticket"))
    def ticket_link(self, run: RuleRun) -> SafeString:
        url = reverse("admin:support_ticket_change", args=[run.ticket_id])
        return format_html('<a class="whitespace-nowrap" href="{}">{}</a>', url, run.ticket.number)

    @display(description=later("set off by"))
    def set_off(self, run: RuleRun) -> SafeString | str:
        if run.event:
            return run.event.get_kind_display()
        return format_html(_("time, from {}"), moment(run.moment)) if run.moment else "–"

    @display(
        description=later("outcome"),
        label={"done": "success", "failed": "danger", "stopped": "warning"},
    )
    def outcome(self, run: RuleRun) -> tuple[str, str]:
        if run.error.startswith("Stopped: "):
            return "stopped", _("stopped")
        return ("failed", _("failed")) if run.error else ("done", _("done"))

    @display(description=later("outcome"))
    def outcome_words(self, run: RuleRun) -> str:
        _colour, words = self.outcome(run)
        return str(words)
