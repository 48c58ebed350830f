"""What the ledger says at a day, and a month of it for accountants: two pages beside its list."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.money import to_major
from backoffice.spreadsheets import csv_lines
from compensation import books
from compensation.balances import Balance, balances_before, sums_before
from compensation.books.month import end_of, zone

SHOWN = 50
SEE = "compensation.view_ledgerentry"
EXPORT = "compensation.export_ledger"
Answer = HttpResponse | StreamingHttpResponse


class DayForm(forms.Form):
    """The day (to its end, in the books' time zone), and maybe one customer."""

    day = forms.DateField(
        label=_("at the end of"),
        widget=forms.DateInput({"type": "date", "class": "am-field"}, format="%Y-%m-%d"),
    )
    customer = forms.CharField(
        label=_("customer"),
        required=False,
        widget=forms.TextInput(
            {"class": "am-field", "placeholder": _("reference or Stripe id, in full")}
        ),
    )
    after = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not 1900 <= day.year < 9999:  # noqa: PLR2004
            raise forms.ValidationError(_("No ledger goes that far."))
        return day


class FileForm(forms.Form):
    """Which file of which month."""

    month = forms.CharField()
    layout = forms.ChoiceField(choices=[(key, key) for key in books.LAYOUTS])
    currency = forms.RegexField(r"^[A-Z]{3}$", required=False)
    part = forms.IntegerField(required=False, min_value=1)

    def clean_month(self) -> books.Month:
        try:
            return books.Month.parse(self.cleaned_data["month"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class LedgerPages:
    """A mixin of the ledger's admin: balances at a day, and the books of a month."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "compensation_ledgerentry"
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [
            path("balances/", wrap(self.balances_view), name=f"{name}_balances"),
            path("balances/csv/", wrap(self.balances_csv), name=f"{name}_balances_csv"),
            path("books/", wrap(self.books_view), name=f"{name}_books"),
            path("books/file/", wrap(self.books_file), name=f"{name}_books_file"),
            *urls,
        ]

    def balances_view(self, request: HttpRequest) -> HttpResponse:
        """What customers held at the end of a day: all together, and each."""
        _require(request, SEE)
        form = _day_form(request)
        shown: dict[str, Any] = {}
        if form.is_valid():
            asked = form.cleaned_data
            moment = end_of(asked["day"])
            customer, after = asked["customer"].strip(), asked["after"] or 0
            found = list(balances_before(moment, customer=customer, after=after, limit=SHOWN + 1))
            shown = {
                "day": asked["day"],
                "sums": sums_before(moment),
                "customer": customer,
                "balances": found[:SHOWN],
                "after": found[SHOWN - 1].customer_id if len(found) > SHOWN else None,
                "is_first": not after,
            }
        return self._page(request, "balances", _("Balances at a day"), {"form": form, **shown})

    def balances_csv(self, request: HttpRequest) -> Answer:
        """Every balance at the end of a day."""
        _require(request, EXPORT)
        form = _day_form(request)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
        day = form.cleaned_data["day"]
        rows = (_balance_row(each) for each in balances_before(end_of(day)))
        heading = ["customer", "name", "currency", "balance"]
        return _download(csv_lines([heading]), csv_lines(rows), name=f"balances-{day}.csv")

    def books_view(self, request: HttpRequest) -> HttpResponse:
        """A month's sums, and its files."""
        _require(request, SEE)
        months = books.months_with_entries()
        month = _month(request, months)
        totals = books.totals(month)
        others = sorted({each.currency for each in totals} - {settings.BOOKS_CURRENCY})
        return self._page(
            request,
            "books",
            _("Books of a month"),
            {
                "months": months,
                "month": month,
                "is_running": month.end > timezone.now(),
                "totals": totals,
                "postings": sum(each.entries for each in totals),
                "files": _files(month, others) if totals else [],
                "accounts": settings.BOOKS_ACCOUNTS,
                "may_export": request.user.has_perm(EXPORT),
            },
        )

    def books_file(self, request: HttpRequest) -> Answer:
        """The file of a month in a layout."""
        _require(request, EXPORT)
        form = FileForm(request.GET)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
        asked = form.cleaned_data
        try:
            file = books.export(
                asked["month"],
                books.LAYOUTS[asked["layout"]],
                currency=asked["currency"],
                part=asked["part"] or 1,
            )
        except books.ExportError as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain")
        return _download(file.lines, name=file.name, encoding=file.encoding)

    def _page(
        self, request: HttpRequest, page: str, title: Any, context: dict[str, Any]
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/compensation/ledger/{page}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": title,
                "zone": settings.BOOKS_TIME_ZONE,
                "may_export": request.user.has_perm(EXPORT),
                **context,
            },
        )


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _day_form(request: HttpRequest) -> DayForm:
    """Yesterday, unless the reader asks for another day: today is not over."""
    yesterday = timezone.now().astimezone(zone()).date() - timedelta(days=1)
    return DayForm({"day": yesterday} | request.GET.dict())


def _month(request: HttpRequest, months: list[books.Month]) -> books.Month:
    """The month asked for; else the last that is over, as far as anything is booked."""
    try:
        return books.Month.parse(request.GET.get("month", ""))
    except ValueError:
        now = books.Month.of(timezone.now())
        return next((month for month in months if month < now), now)


def _files(month: books.Month, others: list[str]) -> list[dict[str, Any]]:
    """Each layout with the addresses of its files, or why there are none."""
    files = []
    for key, layout in books.LAYOUTS.items():
        currencies = ["", *others] if layout.is_of_one_currency else [""]
        for currency in currencies:
            line: dict[str, Any] = {"key": key, "label": layout.label, "currency": currency}
            if layout.is_of_one_currency:
                line["currency_shown"] = currency or settings.BOOKS_CURRENCY
            try:
                books.export(month, layout, currency=currency)
                line["parts"] = list(range(1, books.parts_of(month, layout, currency) + 1))
            except books.ExportError as error:
                line["why_not"] = str(error)
            files.append(line)
    return files


def _balance_row(each: Balance) -> list[Any]:
    return [each.reference, each.name, each.currency, to_major(each.amount_minor, each.currency)]


def _download(*parts: Any, name: str, encoding: str = "utf-8") -> StreamingHttpResponse:
    lines = (line.encode(encoding) for part in parts for line in part)
    answer = StreamingHttpResponse(lines, content_type=f"text/csv; charset={encoding}")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
