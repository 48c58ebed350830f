"""Customers: found in an instant, and all of one on a page."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display

from backoffice.customers.admin.looks import at_stripe, fee, link
from backoffice.customers.models import Customer, Subscription
from backoffice.customers.search import MOST_FOUND, find_customers
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly


class SubscriptionInline(TabularInline):  # type: ignore[misc]
    """What the customer pays for, and what each subscription uses."""

    model = Subscription
    fields = ("link", "plan", "price", "status", "region", "since", "until", "uses", "stripe")
    readonly_fields = fields
    extra = 0
    can_delete = False
    hide_title = True
    ordering = ("-id",)
    verbose_name_plural = _("subscriptions")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows: QuerySet[Subscription] = super().get_queryset(request)
        return rows.prefetch_related("component_uses__component")

    @display(description=_("reference"))
    def link(self, subscription: Subscription) -> SafeString | str:
        return link("customers_subscription_change", subscription.reference, subscription.pk)

    @display(description=_("fee"))
    def price(self, subscription: Subscription) -> str:
        return fee(subscription)

    @display(description=_("since"))
    def since(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.started_at)

    @display(description=_("until"))
    def until(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.ended_at or subscription.trial_end)

    @display(description=_("uses"))
    def uses(self, subscription: Subscription) -> str:
        names = sorted(use.component.name for use in subscription.component_uses.all())
        return ", ".join(names) or "–"

    @display(description=_("at Stripe"))
    def stripe(self, subscription: Subscription) -> SafeString | str:
        return at_stripe("subscriptions", subscription.stripe_subscription_id)


@admin.register(Customer)
class CustomerAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """To look at: what is stored here comes from the host product, from files, or from Stripe."""

    list_display = (
        "reference", "name", "email", "country", "segment", "language", "currency", "stripe",
    )  # fmt: skip
    list_filter = (
        ("language", ChoicesDropdownFilter),
        ("country", FieldTextFilter),
        ("segment", FieldTextFilter),
        ("stripe_customer_id", admin.EmptyFieldListFilter),
    )
    list_filter_submit = True
    search_fields = ("reference", "name", "email")
    search_help_text = _("Beginning of the reference, the e-mail address or words of the name")
    fieldsets = (
        (None, {"fields": (
            ("reference", "name"), ("email", "language"), ("country", "segment"),
            ("time_zone", "currency"), ("stripe", "more"), ("booked", "kept"),
        )}),
        (_("May sign in"), {"fields": ("people",)}),
    )  # fmt: skip
    readonly_fields = ("stripe", "more", "booked", "kept", "people")
    inlines = (SubscriptionInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        if not search_term.strip():
            return queryset, False
        found = find_customers(search_term)
        if len(found) > MOST_FOUND:
            words = _("More than %(count)s customers fit: type more of it.")
            messages.warning(request, words % {"count": f"{MOST_FOUND:,}"})
        return queryset.filter(pk__in=found), False

    def get_object(self, *args: Any, **kwargs: Any) -> Customer | None:
        customer: Customer | None = super().get_object(*args, **kwargs)
        if customer is not None:
            prefetch_related_objects([customer], "contacts__user")
        return customer

    @display(description=_("at Stripe"))
    def stripe(self, customer: Customer) -> SafeString | str:
        return at_stripe("customers", customer.stripe_customer_id)

    @display(description=_("got from us"))
    def more(self, customer: Customer) -> SafeString | str:
        return link(
            "compensation_award_changelist",
            _("Credits and other awards"),
            query=f"?customer__id__exact={customer.pk}",
        )

    @display(description=_("ledger"))
    def booked(self, customer: Customer) -> SafeString | str:
        return link(
            "compensation_ledgerentry_changelist",
            _("What was booked, and used on which invoice"),
            query=f"?{urlencode({'q': customer.reference})}",
        )

    @display(description=_("privacy"))
    def kept(self, customer: Customer) -> SafeString | str:
        return link(
            "support_privacyrequest_person",
            _("Data kept about them: export, erase"),
            query=f"?customer={customer.pk}",
        )

    @display(description=_("people"))
    def people(self, customer: Customer) -> SafeString | str:
        users = ((one.user.email,) for one in customer.contacts.all() if one.counts)
        nobody = _("Nobody yet. Who asks for a code at the customer's e-mail address may.")
        return format_html_join(", ", "{}", users) or str(nobody)
