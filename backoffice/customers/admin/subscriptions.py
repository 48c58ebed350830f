"""Subscriptions, to look at."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display

from backoffice.customers.admin.looks import STATUS_COLOURS, at_stripe, fee, link
from backoffice.customers.models import Subscription
from backoffice.customers.search import find_customers
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly


@admin.register(Subscription)
class SubscriptionAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """What is stored here comes from the host product, from files, or from Stripe."""

    list_display = ("reference", "owner", "plan", "price", "state", "region", "since", "until")
    list_select_related = ("customer",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("interval_months", ChoicesDropdownFilter),
        ("plan", FieldTextFilter),
        ("region", FieldTextFilter),
    )
    list_filter_submit = True
    search_fields = ("reference",)
    search_help_text = _("Beginning of the reference, an id of Stripe's, or the customer")
    fieldsets = (
        (None, {"fields": (
            ("reference", "owner"), ("plan", "price"), ("status", "region"), ("uses", "stripe"),
        )}),
        (_("Times"), {"fields": (("since", "ended"), ("trial", "period"))}),
    )  # fmt: skip
    readonly_fields = ("owner", "price", "uses", "since", "ended", "trial", "period", "stripe")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscription], search_term: str
    ) -> tuple[QuerySet[Subscription], bool]:
        words = search_term.strip().replace("\0", "")
        if not words:
            return queryset, False
        mine = Subscription.objects.order_by().filter(reference__startswith=words)
        ids = list(mine.values_list("pk", flat=True)[:2000])
        by_customer = Q(customer__in=find_customers(words))
        return queryset.filter(Q(pk__in=ids) | Q(stripe_subscription_id=words) | by_customer), False

    @display(description=_("customer"))
    def owner(self, subscription: Subscription) -> SafeString | str:
        customer = subscription.customer
        return link("customers_customer_change", customer, customer.pk)

    @display(description=_("fee"))
    def price(self, subscription: Subscription) -> str:
        return fee(subscription)

    @display(description=_("status"), label=STATUS_COLOURS)
    def state(self, subscription: Subscription) -> tuple[str, str]:
        return subscription.status, subscription.get_status_display()

    @display(description=_("since"))
    def since(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.started_at)

    @display(description=_("until"))
    def until(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.ended_at or subscription.trial_end)

    @display(description=_("ended"))
    def ended(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.ended_at)

    @display(description=_("trial until"))
    def trial(self, subscription: Subscription) -> SafeString | str:
        return moment(subscription.trial_end)

    @display(description=_("current period"))
    def period(self, subscription: Subscription) -> str:
        if subscription.period_start is None or subscription.period_end is None:
            return "–"
        return f"{subscription.period_start:%Y-%m-%d} – {subscription.period_end:%Y-%m-%d} (UTC)"

    @display(description=_("uses"))
    def uses(self, subscription: Subscription) -> str:
        uses = subscription.component_uses.select_related("component")
        return ", ".join(sorted(use.component.name for use in uses)) or "–"

    @display(description=_("at Stripe"))
    def stripe(self, subscription: Subscription) -> SafeString | str:
        return at_stripe("subscriptions", subscription.stripe_subscription_id)
