"""Batches: the list, the page where finance decides, and its fragments."""

import random
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import duration, moment
from backoffice.listing import BigList, ReadOnly
from compensation import summaries
from compensation.admin import batch_page
from compensation.admin.batch_doors import batch_urls
from compensation.admin.incident_batches import draft_batch, incident_batches
from compensation.admin.liability import incident_liability
from compensation.admin.looks import BATCH_LABELS, award_value, gives, gives_cell, unbroken
from compensation.admin.reversal_doors import ask_batch
from compensation.models import Award, Batch
from compensation.models.award import Exclusion

SHOWN = 20
SHOWN_LEFT_OUT = 100


@admin.register(Batch)
class BatchAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Everything that changes a batch is a button on its page, never a form field."""

    list_display = ("name", "state_label", "about", "gives", "signed", "submitted")
    list_select_related = ("incident", "version__policy", "submitted_by")
    list_filter = (("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("number", "incident__number")
    search_help_text = _("Number of the batch or of the incident")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        queryset: QuerySet[Batch] = super().get_queryset(request)
        signed = Count("approvals", filter=Q(approvals__withdrawn_at=None))
        return queryset.annotate(signatures=signed)

    @display(description=_("state"), label=BATCH_LABELS)
    def state_label(self, batch: Batch) -> tuple[str, str]:
        return batch.state, batch.get_state_display()

    @display(description=_("number"))
    def name(self, batch: Batch) -> SafeString:
        return unbroken(batch.number)

    @display(description=_("for"))
    def about(self, batch: Batch) -> str:
        return batch.about

    @display(description=_("gives"))
    def gives(self, batch: Batch) -> str:
        return gives_cell(batch)

    @display(description=_("approvals"))
    def signed(self, batch: Any) -> str:
        return f"{batch.signatures} / {batch.approvals_needed}" if batch.submitted_at else "–"

    @display(description=_("submitted"))
    def submitted(self, batch: Batch) -> SafeString:
        return unbroken(moment(batch.submitted_at))

    def get_urls(self) -> list[URLPattern]:
        fragments = [
            ("progress", self.progress_view),
            ("awards", self.awards_view),
            ("figures", self.figures_view),
        ]
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"compensation_batch_{name}",
            )
            for name, view in fragments
        ]
        wrap = self.admin_site.admin_view
        own += [
            path(
                f"of-incident/<int:pk>/{name}/",
                wrap(view),
                name=f"compensation_incident_{name}",
            )
            for name, view in [
                ("batches", incident_batches),
                ("draft", draft_batch),
                ("liability", incident_liability),
            ]
        ]
        own.append(
            path("<int:pk>/reverse/", wrap(ask_batch), name="compensation_batch_reverse"),
        )
        urls: list[URLPattern] = super().get_urls()
        return own + batch_urls(self.admin_site) + urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page where finance sees what they sign, and signs it."""
        batch = (
            Batch.objects.select_related(
                "incident", "version__policy", "created_by", "submitted_by"
            )
            .filter(pk=int(object_id) if object_id.isdecimal() else 0)
            .first()
        )
        if batch is None:
            raise Http404("There is no such batch.")
        self._check_may_view(request, batch)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": batch,
            "title": batch.number,
            **batch_page.page(request, batch),
        }
        context["eta"] = _eta(context["progress"])
        return TemplateResponse(request, "admin/compensation/batch/page.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The progress bar again; once the batch has moved on, the whole page."""
        batch = get_object_or_404(Batch, pk=pk)
        self._check_may_view(request, batch)
        progress = batch_page.progress(batch)
        seen = (request.GET.get("state"), "stopped" in request.GET)
        if seen != (batch.state, progress["is_stopped"]):
            return HttpResponse(headers={"HX-Refresh": "true"})
        context = {"batch": batch, "progress": progress, "eta": _eta(progress)}
        return TemplateResponse(request, "admin/compensation/batch/progress.html", context)

    def figures_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many awards and how much, for lists where the cache was empty."""
        batch = get_object_or_404(Batch, pk=pk)
        self._check_may_view(request, batch)
        return HttpResponse(gives(summaries.summarise(batch)))

    def awards_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The largest awards, some at random, or those left out for one reason."""
        batch = get_object_or_404(Batch, pk=pk)
        self._check_may_view(request, batch)
        which = request.GET.get("which", "largest")
        awards = _awards(batch, which, request.GET.get("exclusion", ""))
        may_exclude = batch_page.may_exclude(request, batch)
        rows = [
            (award, award_value(award), may_exclude and award.exclusion == Exclusion.BY_HAND)
            for award in awards
        ]
        context = {"batch": batch, "awards": rows, "which": which, "may_exclude": may_exclude}
        return TemplateResponse(request, "admin/compensation/batch/award_rows.html", context)

    def _check_may_view(self, request: HttpRequest, batch: Batch) -> None:
        if not self.has_view_permission(request, batch):
            raise PermissionDenied


def _eta(progress: dict[str, Any] | None) -> str:
    """Time left in words: seconds below a minute, then minutes."""
    seconds = progress["eta_seconds"] if progress else None
    if seconds is None:
        return ""
    return f"{seconds} s" if seconds < 60 else duration(seconds)  # noqa: PLR2004


def _awards(batch: Batch, which: str, exclusion: str) -> list[Award]:
    awards = Award.objects.filter(batch=batch).select_related("customer", "excluded_by")
    if which == "left_out":
        left_out = awards.filter(state=Award.State.EXCLUDED, exclusion=exclusion)
        return list(left_out.order_by("-amount_minor", "id")[:SHOWN_LEFT_OUT])
    kept = awards.exclude(state=Award.State.EXCLUDED)
    if which == "random":
        return _random_awards(kept)
    return _largest_awards(batch, kept)


def _largest_awards(batch: Batch, awards: QuerySet[Award]) -> list[Award]:
    """The largest of each currency, as the figures remember them: sorting a million takes long."""
    spreads = summaries.summarise(batch)["spreads"]
    known = [each["award"] for spread in spreads.values() for each in spread["largest"]]
    if not known:  # no credits in it
        return list(awards.order_by("id")[:SHOWN])
    return list(awards.filter(pk__in=known).order_by("-amount_minor", "id")[:SHOWN])


def _random_awards(awards: QuerySet[Award]) -> list[Award]:
    """Some at random: ids drawn between the first and the last, as pricing writes them in a row.

    Sorting a million awards at random to take twenty would take a second.
    """
    ends = awards.aggregate(first=Min("id"), last=Max("id"))
    if ends["first"] is None:
        return []
    span = range(ends["first"], ends["last"] + 1)
    drawn = random.sample(span, min(len(span), 50 * SHOWN))
    hits = list(awards.filter(pk__in=drawn).values_list("pk", flat=True))
    if len(hits) < SHOWN:  # other rows lie between them
        return list(awards.order_by("?")[:SHOWN])
    return list(awards.filter(pk__in=random.sample(hits, SHOWN)).order_by("-amount_minor", "id"))
