"""Reconciliation: run it, watch it, read its sums, take it along as CSV."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum
from django.db.models.functions import Abs
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from backoffice.listing import ReadOnly
from compensation import reconciliation
from compensation.admin.doors import call, post_only
from compensation.models import Finding, ReconciliationRun
from compensation.models.reconciliation import FindingKind
from compensation.reconciliation.differences import Line
from compensation.reconciliation.report import csv_lines, findings_of, sums

NAME = "compensation_reconciliationrun"
PERMISSION = "compensation.run_reconciliation"
RUNS_SHOWN = 12
FINDINGS_SHOWN = 50
CUSTOMERS_SHOWN = 10
TONES = {"running": "", "finished": "good", "stopped": "bad"}


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """The list is the page: how it stands, what is open, and the last runs."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("start/", wrap(self.start_view), name=f"{NAME}_start"),
            path("<int:pk>/stop/", wrap(self.stop_view), name=f"{NAME}_stop"),
            path("<int:pk>/progress/", wrap(self.progress_view), name=f"{NAME}_progress"),
            path("<int:pk>/csv/", wrap(self.csv_view), name=f"{NAME}_csv"),
            *urls,
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """How the books agree now, and what to do next."""
        self._check_may_view(request)
        runs = list(ReconciliationRun.objects.select_related("customer", "started_by")[:RUNS_SHOWN])
        walks = [run for run in runs if run.scope != ReconciliationRun.Scope.CUSTOMER]
        newest = next(iter(walks), None) or next(iter(runs), None)
        context = self._context(request) | {
            "title": _("Reconciliation"),
            "runs": runs,
            "newest": newest,
            "tone": _tone(newest),
            "summed": (summed := next((run for run in walks if run.totals), None)),
            "lines": _lines(summed),
            "kinds": _open_kinds(),
            "customers": _largest(),
        }
        return TemplateResponse(request, "admin/compensation/reconciliation/page.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One run: its figures, its sums and what it found."""
        self._check_may_view(request)
        if not object_id.isdecimal():
            raise Http404("There is no such run.")
        runs = ReconciliationRun.objects.select_related("customer", "started_by")
        run = get_object_or_404(runs, pk=object_id)
        # open ones first
        found = findings_of(run).order_by("-state", "-id")
        context = self._context(request) | {
            "title": str(run),
            "original": run,
            "run": run,
            "tone": TONES[run.state],
            "lines": _lines(run),
            "findings": found[:FINDINGS_SHOWN],
            "more": max(found.count() - FINDINGS_SHOWN, 0),
        }
        return TemplateResponse(request, "admin/compensation/reconciliation/run.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The progress bar again; once the run is over, the whole page."""
        self._check_may_view(request)
        run = get_object_or_404(ReconciliationRun, pk=pk)
        if run.state != ReconciliationRun.State.RUNNING:
            return HttpResponse(headers={"HX-Refresh": "true"})
        context = {"run": run}
        return TemplateResponse(request, "admin/compensation/reconciliation/progress.html", context)

    def start_view(self, request: HttpRequest) -> HttpResponse:
        if refusal := post_only(request, PERMISSION):
            return refusal
        scopes = ReconciliationRun.Scope
        scope = scopes.FULL if request.POST.get("scope") == scopes.FULL else scopes.AWARDED
        by: Any = request.user
        call(
            request,
            lambda: reconciliation.start_run(by=by, scope=scope),
            _("Started: a worker compares now."),
        )
        return redirect(f"admin:{NAME}_changelist")

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, PERMISSION):
            return refusal
        run = get_object_or_404(ReconciliationRun, pk=pk)
        by: Any = request.user
        reason = request.POST.get("reason", "")
        call(
            request,
            lambda: reconciliation.stop_run(run, by=by, reason=reason),
            _("Stopped. What it found stays."),
        )
        return redirect(f"admin:{NAME}_changelist")

    def csv_view(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        """The findings of a run, for a spreadsheet."""
        self._check_may_view(request)
        run = get_object_or_404(ReconciliationRun, pk=pk)
        name = f"reconciliation-{run.pk}.csv"
        return StreamingHttpResponse(
            csv_lines(run),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        may_run = request.user.has_perm(PERMISSION)
        return {**self.admin_site.each_context(request), "opts": self.opts, "may_run": may_run}

    def _check_may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _tone(newest: ReconciliationRun | None) -> str:
    if newest is None or Finding.objects.filter(state=Finding.State.OPEN).exists():
        return "warn"
    return TONES[newest.state]


def _lines(run: ReconciliationRun | None) -> list[tuple[str, dict[str, int]]]:
    """By currency, with what is open of the findings."""
    if run is None:
        return []
    return [
        (currency, sums(kept) | {"open": Line.of(kept).found - Line.of(kept).accepted})
        for currency, kept in run.totals.items()
    ]


def _largest() -> list[dict[str, Any]]:
    """The customers whose open differences sum up to most, by currency."""
    still_open = Finding.objects.filter(state=Finding.State.OPEN).exclude(currency="")
    summed = (
        still_open.order_by()
        .values("customer__reference", "customer__name", "currency")
        .annotate(sum=Sum("difference_minor"), count=Count("pk"))
    )
    rows: Any = summed.annotate(size=Abs("sum")).order_by("-size")
    return list(rows[:CUSTOMERS_SHOWN])


def _open_kinds() -> list[tuple[str, str, int]]:
    """How many findings of each kind are open; none that are not."""
    counts = dict(
        Finding.objects.filter(state=Finding.State.OPEN)
        .order_by()
        .values_list("kind")
        .annotate(Count("pk"))
    )
    return [(kind.value, str(kind.label), counts[kind]) for kind in FindingKind if kind in counts]
