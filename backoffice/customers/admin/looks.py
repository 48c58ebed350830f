"""How single values look on these pages."""

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.customers.models import Subscription
from backoffice.display import money

LINK = '<a class="text-primary-600 dark:text-primary-500" href="{}" rel="noreferrer">{}</a>'


def link(name: str, text: object, *args: object, query: str = "") -> SafeString | str:
    """A link to an admin page, or just the text where that page is not there."""
    try:
        address = reverse(f"admin:{name}", args=args) + query
    except NoReverseMatch:
        return str(text)
    return format_html(LINK, address, text)


def at_stripe(kind: str, stripe_id: str | None) -> SafeString | str:
    """Stripe's id, as a link to Stripe's page of it (or the sandbox's)."""
    if not stripe_id:
        return "–"
    if settings.STRIPE_IS_SANDBOX:
        if kind != "customers":
            return stripe_id
        address = f"{settings.STRIPE_API_BASE}/customers/{stripe_id}"
    else:
        test = "test/" if settings.STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")) else ""
        address = f"https://dashboard.stripe.com/{test}{kind}/{stripe_id}"
    return format_html(LINK, address, stripe_id)


def fee(subscription: Subscription) -> str:
    """EUR 49.90 a month."""
    amount = money(subscription.fee_minor, subscription.currency)
    every = {1: _("a month"), 3: _("a quarter"), 6: _("a half-year"), 12: _("a year")}
    return f"{amount} {every[subscription.interval_months]}"


# Label colours by status; the word stands in the label.
STATUS_COLOURS = {
    Subscription.Status.ACTIVE: "success",
    Subscription.Status.TRIALING: "info",
    Subscription.Status.PAST_DUE: "warning",
    Subscription.Status.UNPAID: "warning",
    Subscription.Status.PAUSED: "warning",
    Subscription.Status.CANCELED: "danger",
}
