"""One-time links that the API handed out, to look at. Tokens are stored nowhere."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.customers.admin.looks import link
from backoffice.customers.models import PortalSession
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly


@admin.register(PortalSession)
class PortalSessionAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Who was let into whose account pages."""

    list_display = ("owner", "created_by", "created", "state", "redeemed", "expires")
    list_display_links = None
    list_select_related = ("customer",)
    fields = ("owner", "created_by", "created", "state", "redeemed", "expires", "return_url")
    readonly_fields = ("owner", "created", "state", "redeemed", "expires")

    @display(description=_("customer"))
    def owner(self, session: PortalSession) -> SafeString | str:
        return link("customers_customer_change", session.customer, session.customer.pk)

    @display(description=_("made"))
    def created(self, session: PortalSession) -> SafeString | str:
        return moment(session.created_at)

    @display(
        description=_("state"),
        label={"open": "info", "visiting": "success", "over": "default", "unused": "default"},
    )
    def state(self, session: PortalSession) -> tuple[str, object]:
        now = timezone.now()
        if session.redeemed_at is None:
            is_open = session.link_expires_at > now
            return ("open", _("can be used")) if is_open else ("unused", _("expired unused"))
        is_visiting = session.visit_expires_at is not None and session.visit_expires_at > now
        return ("visiting", _("in use")) if is_visiting else ("over", _("over"))

    @display(description=_("used"))
    def redeemed(self, session: PortalSession) -> SafeString | str:
        return moment(session.redeemed_at)

    @display(description=_("ends"))
    def expires(self, session: PortalSession) -> SafeString | str:
        return moment(session.visit_expires_at or session.link_expires_at)
