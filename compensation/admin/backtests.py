"""Backtests: ask for one, watch it, read what it found, take it along as CSV."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.listing import ReadOnly
from backoffice.spreadsheets import csv_lines
from compensation import backtesting
from compensation.admin.backtest_charts import charts_of
from compensation.admin.doors import call, post_only
from compensation.admin.simulations import simulation_page
from compensation.backtesting.report import (
    difference_rows,
    incidents_of,
    month_rows,
    named_differences,
)
from compensation.forms.backtests import BacktestForm
from compensation.models import Backtest, PolicyVersion
from compensation.models.award import Award, Exclusion

NAME = "compensation_backtest"
MAY_SEE = "compensation.view_policyversion"
TONES = {"queued": "", "running": "", "done": "good", "failed": "bad", "cancelled": "warn"}
DIFFERENCES_SHOWN = 10
HERE = "admin/compensation/backtest"


@admin.register(Backtest)
class BacktestAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Whoever may read policies may read these; who writes them may start one."""

    list_display = ("name", "against_", "first", "last", "state", "asked_by", "asked_at")
    list_display_links = ("name",)
    list_select_related = ("version__policy", "against__policy", "asked_by")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("of/<int:pk>/", wrap(self.panel_view), name=f"{NAME}_panel"),
            path("start/<int:pk>/", wrap(self.start_view), name=f"{NAME}_start"),
            path("simulation/<int:pk>/", wrap(self.simulation_view), name=f"{NAME}_simulation"),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name=f"{NAME}_cancel"),
            path("<int:pk>/progress/", wrap(self.progress_view), name=f"{NAME}_progress"),
            path("<int:pk>/csv/", wrap(self.months_view), name=f"{NAME}_csv"),
            path("<int:pk>/customers/", wrap(self.customers_view), name=f"{NAME}_customers"),
            *urls,
        ]

    def has_view_permission(self, request: HttpRequest, obj: Backtest | None = None) -> bool:
        return bool(request.user.has_perm(MAY_SEE))

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Found on the version's page."""
        return {}

    @display(description=gettext_lazy("version"))
    def name(self, run: Backtest) -> str:
        return str(run.version)

    @display(description=gettext_lazy("beside"))
    def against_(self, run: Backtest) -> str:
        return str(run.against or "–")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One run: how far it is, or what it found."""
        self._check_may_view(request)
        run = self._run(object_id)
        context = self._context(request) | {
            "title": str(run),
            "original": run,
            "run": run,
            "tone": TONES[run.state],
            "stale": run.state == Backtest.State.DONE and backtesting.is_stale(run),
            "against_form": BacktestForm(run.version, initial=_asked(run)),
            **progress(run),
            **_figures(run),
        }
        return TemplateResponse(request, f"{HERE}/page.html", context)

    def panel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On the version's page: the newest in short, and how to ask for another."""
        self._check_may_view(request)
        version = get_object_or_404(PolicyVersion.objects.select_related("policy"), pk=pk)
        runs = version.backtests.select_related("version__policy", "against__policy")
        newest = runs.first()
        shown = runs.filter(state=Backtest.State.DONE).first()
        first, last = backtesting.last_twelve_months()
        initial = {"first": first, "last": last, "against": backtesting.in_force(version)}
        context = self._context(request) | {
            "version": version,
            "newest": newest,
            "shown": shown,
            "stale": shown is not None and backtesting.is_stale(shown),
            "form": BacktestForm(version, initial=initial),
            "initial": initial,
            "owes_nothing": not version.rules.exists(),
            **(progress(newest) if newest else {}),
        }
        return TemplateResponse(request, f"{HERE}/panel.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The progress again; once it is over, the whole page."""
        self._check_may_view(request)
        run = self._run(pk)
        if not run.is_under_way:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(
            request, f"{HERE}/progress.html", self._context(request) | {"run": run} | progress(run)
        )

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, backtesting.PERMISSION):
            return refusal
        version = get_object_or_404(PolicyVersion, pk=pk)
        form = BacktestForm(version, request.POST)
        asked: list[Backtest] = []
        by: Any = request.user
        if not form.is_valid():
            said = [message for errors in form.errors.values() for message in errors]
            self.message_user(request, " ".join(map(str, said)), "error")
        elif call(
            request,
            lambda: asked.append(backtesting.ask_backtest(version, by=by, **form.cleaned_data)),
            _("Asked: a worker goes through the incidents now."),
        ):
            return redirect(f"admin:{NAME}_change", asked[0].pk)
        return redirect("admin:compensation_policyversion_change", pk)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, backtesting.PERMISSION):
            return refusal
        run = self._run(pk)
        by: Any = request.user
        call(request, lambda: backtesting.cancel_backtest(run, by=by), _("Given up."))
        return redirect(f"admin:{NAME}_change", pk)

    def simulation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One incident under this version beside another."""
        self._check_may_view(request)
        version = get_object_or_404(PolicyVersion.objects.select_related("policy"), pk=pk)
        return simulation_page(request, version, self._context(request))

    def months_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        self._check_may_view(request)
        return _csv(f"backtest-{pk}.csv", month_rows(self._run(pk)))

    def customers_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        self._check_may_view(request)
        if not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        return _csv(f"backtest-{pk}-customers.csv", difference_rows(self._run(pk)))

    def _run(self, pk: int | str) -> Backtest:
        if not str(pk).isdecimal():
            raise Http404("There is no such backtest.")
        runs = Backtest.objects.select_related("version__policy", "against__policy", "asked_by")
        return get_object_or_404(runs, pk=pk)

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        may_start = request.user.has_perm(backtesting.PERMISSION)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "may_start": may_start,
            "may_see_customers": request.user.has_perm("customers.view_customer"),
        }

    def _check_may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def progress(run: Backtest) -> dict[str, Any]:
    """Incidents a second, and the seconds left."""
    if run.state != Backtest.State.RUNNING or not run.steps_done or run.began_at is None:
        return {}
    seconds = max((timezone.now() - run.began_at).total_seconds(), 0.1)
    rate = run.steps_done / seconds
    left = int((run.steps_total - run.steps_done) / rate) + 1
    return {"rate": rate, "left_seconds": left}


def _asked(run: Backtest) -> dict[str, Any]:
    return {"first": run.first, "last": run.last, "against": run.against_id}


def _figures(run: Backtest) -> dict[str, Any]:
    """What the page shows of the result."""
    if run.state != Backtest.State.DONE:
        return {}
    result = run.result
    named = named_differences(result["differences"])
    more = [pair for pair in named if pair[0]["difference"] > 0]
    less = [pair for pair in reversed(named) if pair[0]["difference"] < 0]
    return {
        "result": result,
        "incidents": incidents_of(result),
        "charts": charts_of(result, run),
        "get_more": more[:DIFFERENCES_SHOWN],
        "get_less": less[:DIFFERENCES_SHOWN],
        "left_out": [
            (Exclusion(why).label, ours.get(why, 0), theirs.get(why, 0))
            for ours, theirs in [(result["left_out"]["ours"], result["left_out"]["theirs"])]
            for why in sorted(ours | theirs)
        ],
        "days": [
            (Award.Benefit(name).label, ours.get(name), theirs.get(name))
            for ours, theirs in [(result["days"]["ours"], result["days"]["theirs"])]
            for name in sorted(ours | theirs)
        ],
        "seconds": result["milliseconds"] / 1000,
    }


def _csv(name: str, rows: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
