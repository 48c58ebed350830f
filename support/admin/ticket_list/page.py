"""The queue page itself: its tabs, its filter, one page of lines."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from support import queue_views
from support.admin.ticket_list.filter_words import filter_chips
from support.admin.ticket_list.rows import Row, rows_of, with_columns
from support.bulk import MOST
from support.models import Ticket
from support.queue_filters import Desk, Filter, desk_of
from support.search import MOST_FOUND, search_tickets

PER_PAGE = 50
# Deeper pages would cost more and more, and nobody turns forty pages: a filter does it.
LAST_PAGE = 40


@dataclass(frozen=True)
class Page:
    """One page of tickets. `total` is None where nobody counted: then a tab tells."""

    rows: list[Row]
    number: int
    has_next: bool
    total: int | None
    is_cut: bool

    @property
    def first(self) -> int:
        return (self.number - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def queue_page(request: HttpRequest) -> HttpResponse:
    """The page; at most twelve queries."""
    if not request.user.has_perm("support.view_ticket"):
        raise PermissionDenied
    desk = desk_of(request.user)
    chosen = Filter.read(request.GET)
    tabs = _tabs(desk, chosen)
    page = _page(desk, chosen, _page_number(request))
    context = {
        **admin.site.each_context(request),
        "opts": Ticket._meta,
        "title": _("Tickets"),
        "is_fullwidth": "1",
        "desk": desk,
        "chosen": chosen,
        "query": chosen.query(),
        "tabs": tabs,
        "lead": _found(page, chosen) if chosen.q else _lead(tabs),
        "chips": filter_chips(chosen, desk),
        "page": page,
        "query_text_only": Filter(q=chosen.q).query(),
        "most_found": MOST_FOUND,
        "most_at_once": MOST,
        "last_page": LAST_PAGE,
        "works": request.user.has_perm("support.answer_ticket"),
        "may_merge": request.user.has_perm("support.merge_ticket"),
        "may_share": request.user.has_perm("support.share_savedview"),
    }
    return TemplateResponse(request, "admin/support/ticket/queue.html", context)


def _tabs(desk: Desk, chosen: Filter) -> list[dict[str, Any]]:
    """The tabs with their counts, and which of them is open.

    What takes longer to count stands there once `news` has counted it, a moment later.
    """
    tabs = queue_views.tabs_of(desk)
    quick, slow = queue_views.quick(tabs), queue_views.slow(tabs)
    # Nobody waits longer for what was searched so that the tabs can say how many they hold.
    count = queue_views.kept_counts if chosen.q else queue_views.counts_of
    counts = count(desk, quick) | queue_views.kept_counts(desk, slow)
    return [
        {
            "tab": tab,
            "count": counts.get(tab.query),
            "count_words": count_words(counts.get(tab.query)),
            "is_open": Filter.read(tab.query) == chosen,
        }
        for tab in tabs
    ]


def _lead(tabs: list[dict[str, Any]]) -> tuple[str, str]:
    """The first line: how the reader's desk stands and what comes next; and its tone."""
    counts = {tab["tab"].kind: tab["count"] or 0 for tab in tabs}
    said = {tab["tab"].kind: tab["count_words"] for tab in tabs}
    if counts["due"]:
        words = ngettext(
            "%(n)s ticket is late or due within half an hour: it comes first.",
            "%(n)s tickets are late or due within half an hour: they come first.",
            counts["due"],
        )
        return words % {"n": said["due"]}, "bad"
    if counts["free"]:
        words = ngettext(
            "%(n)s ticket waits for somebody to take it.",
            "%(n)s tickets wait for somebody to take them.",
            counts["free"],
        )
        return words % {"n": said["free"]}, "warn"
    if counts["mine"]:
        words = ngettext(
            "%(n)s ticket of yours is to be answered.",
            "%(n)s tickets of yours are to be answered.",
            counts["mine"],
        )
        return words % {"n": said["mine"]}, ""
    if counts["todo"]:
        return _("Everything here is in somebody's hands."), "good"
    return _("No tickets wait."), "good"


def _found(page: Page, chosen: Filter) -> tuple[str, str]:
    """The first line of a search."""
    total = MOST_FOUND if page.total is None else page.total
    said = {"n": f"{total:,}", "text": chosen.q}
    if page.is_cut:
        words = _("More than %(n)s tickets were found for “%(text)s”: the newest come first.")
        return words % said, ""
    words = ngettext(
        "%(n)s ticket was found for “%(text)s”.", "%(n)s tickets were found for “%(text)s”.", total
    )
    return words % said, ""


def count_words(count: int | None) -> str:
    """A bounded count: 212, or 1,000+."""
    if count is None:
        return ""
    most = queue_views.MOST_COUNTED
    return f"{most:,}+" if count > most else f"{count:,}"


def _page_number(request: HttpRequest) -> int:
    asked = request.GET.get("p", "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 1  # noqa: PLR2004
    return min(max(number, 1), LAST_PAGE)


def _page(desk: Desk, chosen: Filter, number: int) -> Page:
    start = (number - 1) * PER_PAGE
    found = listed(desk, chosen, start + PER_PAGE + 1)
    got = list(with_columns(found.tickets)[start : start + PER_PAGE + 1])
    return Page(
        rows_of(got[:PER_PAGE], desk.user),
        number,
        has_next=len(got) > PER_PAGE and number < LAST_PAGE,
        total=found.total,
        is_cut=found.is_cut,
    )


@dataclass(frozen=True)
class Listed:
    """Tickets in the order they are shown in, how many, and whether there are more."""

    tickets: QuerySet[Ticket]
    total: int | None = None
    is_cut: bool = False


def listed(desk: Desk, chosen: Filter, newest: int) -> Listed:
    """The tickets of a filter; of more than a search can sort, the `newest`. One or two queries.

    What no index gives in order is looked up first: see `support.search`.
    """
    tickets = chosen.tickets(desk)
    if chosen.q:
        found = search_tickets(tickets, chosen.q, newest=newest)
        rows = Ticket.objects.filter(pk__in=found.ids)
        if found.is_cut:
            return Listed(rows.order_by("-id"), None, is_cut=True)
        return Listed(rows.order_by(*chosen.order), len(found.ids))
    if chosen.is_indexed:
        return Listed(tickets.order_by(*chosen.order))
    ids = list(tickets.order_by().values_list("pk", flat=True)[: MOST_FOUND + 1])
    if len(ids) > MOST_FOUND:
        return Listed(tickets.order_by(*chosen.order))
    return Listed(Ticket.objects.filter(pk__in=ids).order_by(*chosen.order), len(ids))
