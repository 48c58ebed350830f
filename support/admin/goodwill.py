"""Goodwill in the admin: the door of the ticket's page, what was given, and the limits."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from backoffice.states import MoveError
from compensation.admin.looks import unbroken
from compensation.goodwill import PERMISSION
from support.admin.goodwill_form import GoodwillForm
from support.admin.goodwill_limit_form import GoodwillLimitForm
from support.goodwill import Preview, give, page_part, preview
from support.goodwill.words import (
    benefit_in_words,
    done_in_words,
    state_in_words,
    value_in_words,
)
from support.models import Goodwill, GoodwillLimit, Ticket

FORM = "admin/support/ticket/goodwill_form.html"


class TicketGoodwill:
    """A mixin of the ticket's admin: GET previews what is typed, POST gives it."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        view = self.admin_site.admin_view(goodwill_view)
        return [path("<int:pk>/goodwill/", view, name="support_ticket_goodwill"), *urls]


def goodwill_view(request: HttpRequest, pk: int) -> HttpResponse:
    """What the ticket's page asks while goodwill is typed, and when it is given."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    tickets = Ticket.objects.seen_by(request.user).select_related("customer", "incident")
    ticket = get_object_or_404(tickets, pk=pk)
    if request.method == "GET":
        return _previewed(request, ticket)
    return _given(request, ticket)


def _previewed(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    form = GoodwillForm(request.GET, ticket=ticket)
    user: Any = request.user
    if form.is_valid():
        said = preview(ticket, by=user, wish=form.wish)
    else:
        # a field that nobody has filled in yet is no mistake
        typed = [errors for name, errors in form.errors.items() if request.GET.get(name)]
        said = Preview(problems=tuple(str(text) for errors in typed for text in errors))
    context = {"preview": said}
    return TemplateResponse(request, "admin/support/ticket/goodwill_preview.html", context)


def _given(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    form, user = GoodwillForm(request.POST, ticket=ticket), request.user
    page = reverse("admin:support_ticket_change", args=[ticket.pk])
    is_htmx = bool(request.headers.get("HX-Request"))
    if (done := _give(form, ticket, user)) is not None:
        messages.success(request, done_in_words(done))
        return HttpResponse(headers={"HX-Redirect": page}) if is_htmx else redirect(page)
    if is_htmx:
        part = page_part(ticket, user) | {"form": form}  # type: ignore[arg-type]
        return TemplateResponse(request, FORM, {"goodwill": part})
    for texts in form.errors.values():
        for text in texts:
            messages.error(request, str(text))
    return redirect(page)


def _give(form: GoodwillForm, ticket: Ticket, user: Any) -> Goodwill | None:
    """None, with the reasons on the form, where it cannot be."""
    if not form.is_valid():
        return None
    try:
        return give(ticket, by=user, wish=form.wish)
    except (MoveError, PermissionDenied) as error:
        form.add_error(None, str(error))
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            form.add_error(name if name in form.fields else None, ValidationError(list(texts)))
    return None


@admin.register(Goodwill)
class GoodwillAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Who gave what to whom, from which ticket; its state is the award's."""

    empty_hint = _("Nobody has given goodwill yet: agents give it from a ticket's page.")
    list_display = ("what", "who", "from_ticket", "reason", "by", "stands", "given")
    list_display_links = None
    list_select_related = ("award__batch", "award__customer", "ticket", "by")
    list_filter = (
        ("award__benefit", ChoicesDropdownFilter),
        ("award__state", ChoicesDropdownFilter),
    )
    search_fields = ("id",)
    search_help_text = _("Number of the ticket, or the customer's reference, in full")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Goodwill], search_term: str
    ) -> tuple[QuerySet[Goodwill], bool]:
        """Exact only: each of these is found by an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(award__customer__reference=term)
        number = term.upper().removeprefix("T-")
        if number.isdecimal() and len(number) < 19:  # noqa: PLR2004
            wanted |= Q(ticket=int(number))
        return queryset.filter(wanted), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Goodwill]:
        """Of tickets that the reader may see."""
        rows: QuerySet[Goodwill] = super().get_queryset(request)
        return rows.filter(ticket__in=Ticket.objects.seen_by(request.user))

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Goodwill | None:
        # Otherwise the admin would lead whoever sees no ticket on to its first page.
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: Goodwill | None = super().get_object(request, object_id, *more)
        return found

    @display(description=_("gives"))
    def what(self, given: Goodwill) -> SafeString:
        award: Any = given.award
        url = reverse("admin:compensation_award_change", args=[award.pk])
        return format_html('<a class="am-num" href="{}">{}</a>', url, benefit_in_words(award))

    @display(description=_("customer"))
    def who(self, given: Goodwill) -> str:
        award: Any = given.award
        return str(award.customer)

    @display(description=_("ticket"))
    def from_ticket(self, given: Goodwill) -> SafeString:
        url = reverse("admin:support_ticket_change", args=[given.ticket_id])
        return format_html('<a class="am-num" href="{}">{}</a>', url, given.ticket.number)

    @display(description=_("state"))
    def stands(self, given: Goodwill) -> str:
        award: Any = given.award
        return state_in_words(award)

    @display(description=_("given"))
    def given(self, given: Goodwill) -> SafeString:
        return unbroken(moment(given.created_at))


@admin.register(GoodwillLimit)
class GoodwillLimitAdmin(ModelAdmin):  # type: ignore[misc]
    """How much each role or person may give without asking finance."""

    empty_hint = _(
        "Without a limit every gift goes to finance. Say here how much a role, or one person, may "
        "give of their own accord."
    )
    form = GoodwillLimitForm
    fields = ("role", "user", "benefit", "currency", "ticket_value", "day_value", "customer_value")
    list_display = ("whose", "benefit", "ticket_limit", "day_limit", "customer_limit")
    list_filter = (("benefit", ChoicesDropdownFilter),)
    list_select_related = ("role", "user")
    in_words = ("role", "user", "benefit", "ticket_limit", "day_limit", "customer_limit")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look reads the values as the list says them."""
        return self.fields if self._may_write(request, obj) else self.in_words

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if self._may_write(request, obj) else self.in_words

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return bool(self.has_add_permission(request))
        return bool(self.has_change_permission(request, obj))

    @display(description=_("role or person"))
    def whose(self, limit: GoodwillLimit) -> str:
        return str(limit.user or limit.role)

    @display(description=_("per ticket"))
    def ticket_limit(self, limit: GoodwillLimit) -> str:
        return value_in_words(limit.benefit, limit.per_ticket, limit.currency)

    @display(description=_("per day"))
    def day_limit(self, limit: GoodwillLimit) -> str:
        return value_in_words(limit.benefit, limit.per_day, limit.currency)

    @display(description=_("per customer and year"))
    def customer_limit(self, limit: GoodwillLimit) -> str:
        return value_in_words(limit.benefit, limit.per_customer, limit.currency)
