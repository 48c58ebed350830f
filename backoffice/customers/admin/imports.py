"""Importing customers: upload, preview, confirm; and what was imported before."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.customers.forms import ImportForm
from backoffice.customers.importing import BadLine, MapError, bad_lines_csv
from backoffice.customers.importing.records import (
    confirm_import,
    discard_import,
    preview_import,
)
from backoffice.customers.models import CustomerImport
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from backoffice.states import MoveError

BAD_LINES_SHOWN = 100
# PostgreSQL keeps the keys of JSON in an order of its own.
COLUMNS = (
    "line", "reference", "name", "email", "language", "country", "segment", "time_zone", "plan",
    "fee", "currency", "interval_months", "status", "started_at", "ended_at", "trial_end",
    "period_start", "period_end", "components", "stripe_customer_id",
)  # fmt: skip
STATE_COLOURS = {"previewed": "warning", "imported": "success", "discarded": "default"}


@admin.register(CustomerImport)
class CustomerImportAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """The add page uploads; the page of one import is its preview, then its report."""

    show_add_link = True
    list_display = ("file_name", "status", "lines", "bad", "created_by", "created")
    list_select_related = ("created_by",)

    # --- who may ----------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.import_customers"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) or bool(super().has_view_permission(request, obj))

    # --- the list ---------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerImport]:
        rows: QuerySet[CustomerImport] = super().get_queryset(request)
        return rows.defer("content", "report", "map_text").annotate(
            line_count=KT("report__lines"), bad_count=KT("report__bad_line_count")
        )

    @display(description=_("state"), label=STATE_COLOURS)
    def status(self, record: CustomerImport) -> tuple[str, str]:
        return record.state, record.get_state_display()

    @display(description=_("lines"))
    def lines(self, record: Any) -> str:
        return f"{int(record.line_count or 0):,}"

    @display(description=_("bad lines"))
    def bad(self, record: Any) -> str:
        return f"{int(record.bad_count or 0):,}"

    @display(description=_("created"))
    def created(self, record: CustomerImport) -> SafeString | str:
        return moment(record.imported_at or record.created_at)

    # --- the pages --------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        site = self.admin_site.admin_view
        own = [
            path("upload/", site(self.add_view), name="customers_customer_import"),
            path("<int:pk>/confirm/", site(self.confirm), name="customers_customerimport_confirm"),
            path("<int:pk>/discard/", site(self.discard), name="customers_customerimport_discard"),
            path("<int:pk>/bad-lines.csv", site(self.bad_lines), name="customers_bad_lines"),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Choose file and map; nothing is written before the next page's button."""
        self._demand(request)
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                record = preview_import(
                    form.cleaned_data["file"],
                    map_text=form.cleaned_data["map_text"],
                    file_name=form.cleaned_data["file"].name,
                    by=request.user,  # type: ignore[arg-type]
                    as_of=form.cleaned_data["as_of"],
                )
            except MapError as error:
                for sentence in str(error).splitlines():
                    form.add_error(None, sentence)
            else:
                return self._to(record.pk)
        context = {"form": form, "title": _("Import customers"), "media": self.media + form.media}
        return self._page(request, "upload", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What the import would do, or did."""
        record = get_object_or_404(
            CustomerImport.objects.select_related("created_by").defer("content"),
            pk=int(object_id) if object_id.isdecimal() else 0,
        )
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        report = record.report
        context = {
            "record": record,
            "report": report,
            "title": record.file_name,
            "may_import": self.has_add_permission(request),
            "is_waiting": record.state == CustomerImport.State.PREVIEWED,
            "counts": _counts(report),
            "does": _does(report),
            "first_rows": _table(report["first_rows"]),
            "bad_lines": report["bad_lines"][:BAD_LINES_SHOWN],
            "more_bad_lines": max(0, len(report["bad_lines"]) - BAD_LINES_SHOWN),
        }
        return self._page(request, "page", context)

    @method_decorator(require_POST)
    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Import what was previewed."""
        self._demand(request)
        record = get_object_or_404(CustomerImport, pk=pk)
        try:
            report = confirm_import(record, by=request.user)  # type: ignore[arg-type]
        except (MoveError, MapError) as error:
            messages.error(request, str(error))
        else:
            words = _("Imported %(lines)s lines: %(does)s.")
            done = {"lines": f"{report.imported_lines:,}", "does": _does(report.as_dict())}
            messages.success(request, words % done)
        return self._to(pk)

    @method_decorator(require_POST)
    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Forget the file; nothing was written."""
        self._demand(request)
        try:
            discard_import(get_object_or_404(CustomerImport, pk=pk), by=request.user)  # type: ignore[arg-type]
        except MoveError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:customers_customerimport_changelist"))

    def bad_lines(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bad lines as a CSV file."""
        record = get_object_or_404(CustomerImport.objects.defer("content"), pk=pk)
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        content = bad_lines_csv(BadLine(**bad) for bad in record.report["bad_lines"])
        name = slugify(record.file_name.removesuffix(".csv")) or "file"
        return HttpResponse(
            content,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="bad-lines-{name}.csv"'},
        )

    def _demand(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/customers/customerimport/{name}.html",
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )

    def _to(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_customerimport_change", args=[pk]))


def _counts(report: dict[str, Any]) -> list[tuple[Any, int, int, int]]:
    """Rows of the table: what, created, updated, unchanged."""
    kinds = (("customers", _("Customers")), ("subscriptions", _("Subscriptions")))
    return [
        (title, *(report[kind][name] for name in ("created", "updated", "unchanged")))
        for kind, title in kinds
    ]


def _does(report: dict[str, Any]) -> str:
    """What the import does, as a button and a message say it."""
    customers, subscriptions = report["customers"], report["subscriptions"]
    parts = [
        (customers["created"], _("%s customers created")),
        (customers["updated"], _("%s customers updated")),
        (subscriptions["created"], _("%s subscriptions created")),
        (subscriptions["updated"], _("%s subscriptions updated")),
        (len(report["components_created"]), _("%s components created")),
        (report["uses_added"], _("%s component uses added")),
        (report["uses_removed"], _("%s component uses removed")),
    ]
    said = [str(words) % f"{count:,}" for count, words in parts if count]
    return ", ".join(said) or str(_("nothing to change"))


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Header and cells, without columns that are empty throughout."""
    names = [name for name in COLUMNS if any(row.get(name) for row in rows)]
    return {
        "headers": [name.replace("_", " ") for name in names],
        "rows": [[row.get(name) or "" for name in names] for row in rows],
    }
