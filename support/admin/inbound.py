"""What came in, as it came, and what became of it: to look at."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.channels.email.charsets import decode
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from compensation.admin.looks import unbroken
from support.models import Inbound

SHOWN_BYTES = 20_000
COLOURS = {
    Inbound.State.NEW.value: "info",
    Inbound.State.HANDLED.value: "success",
    Inbound.State.FAILED.value: "danger",
}


@admin.register(Inbound)
class InboundAdmin(ReadOnly, BigList, ModelAdmin):  # type: ignore[misc]
    """Each mail with its ticket; one that could not be read stands here with the reason."""

    empty_hint = _("Nothing has come in yet: docs/email.md tells how mailboxes are set up.")
    list_display = ("received", "account", "state_label", "ticket_link", "subject", "trouble")
    list_select_related = ("ticket",)
    list_filter = (("state", ChoicesDropdownFilter), ("channel", ChoicesDropdownFilter))
    search_fields = ("id",)
    search_help_text = _("Number of the ticket, or the Message-ID, in full")
    fields = (
        "received", "channel", "account", "external_id", "state", "attempts", "ticket_link",
        "error", "beginning",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inbound]:
        rows: QuerySet[Inbound] = super().get_queryset(request)
        # Mails are large, and the list shows nothing of them.
        return rows.defer("raw")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Inbound], search_term: str
    ) -> tuple[QuerySet[Inbound], bool]:
        """Exact only: each of these is found by an index."""
        term = search_term.strip().strip("<>")
        if not term:
            return queryset, False
        number = term.upper().removeprefix("T-")
        if number.isdecimal() and len(number) < 19:  # noqa: PLR2004 - of a 64 bit number
            return queryset.filter(ticket=int(number)), False
        return queryset.filter(Q(message__message_id=term) & ~Q(message__message_id="")), False

    def get_object(self, request: HttpRequest, object_id: str, *more: Any) -> Inbound | None:
        # Otherwise the admin would lead whoever may not see it on to its first page.
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: Inbound | None = super().get_object(request, object_id, *more)
        return found

    @display(description=_("received"), ordering="id")
    def received(self, row: Inbound) -> SafeString | str:
        return unbroken(moment(row.received_at))

    @display(description=_("state"), label=COLOURS)
    def state_label(self, row: Inbound) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("ticket"))
    def ticket_link(self, row: Inbound) -> SafeString | str:
        if row.ticket is None:
            return "–"
        url = reverse("admin:support_ticket_change", args=[row.ticket.pk])
        return unbroken(format_html('<a href="{}">{}</a>', url, row.ticket.number))

    @display(description=_("subject"))
    def subject(self, row: Inbound) -> str:
        return row.ticket.subject[:100] if row.ticket else "–"

    @display(description=_("what went wrong"))
    def trouble(self, row: Inbound) -> str:
        return row.error[:200] or "–"

    @display(description=_("beginning, as it came"))
    def beginning(self, row: Inbound) -> SafeString:
        text = decode(bytes(row.raw[:SHOWN_BYTES]))[0]
        return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)
