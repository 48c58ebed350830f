"""What changes while the page stands open: the counts, and who is on which ticket."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from support import presence, queue_views
from support.admin.ticket_list.asking import need
from support.admin.ticket_list.page import PER_PAGE, count_words
from support.models import Ticket
from support.queue_filters import desk_of


def news_view(request: HttpRequest) -> HttpResponse:
    """{"counts": {query: words}, "present": {ticket: words}}, for the tickets of `ticket=`."""
    user = need(request, "support.view_ticket")
    desk = desk_of(user)
    tabs = queue_views.tabs_of(desk)
    counts = queue_views.counts_of(desk, queue_views.quick(tabs))
    counts |= queue_views.counts_of(desk, queue_views.slow(tabs))
    asked = [int(pk) for pk in request.GET.getlist("ticket")[:PER_PAGE] if pk.isdecimal()]
    seen = Ticket.objects.seen_by(user).filter(pk__in=asked).values_list("pk", flat=True)
    present = presence.present_on(list(seen), but=user) if asked else {}
    return JsonResponse(
        {
            "counts": {query: count_words(count) for query, count in counts.items()},
            "present": {str(pk): presence.said(people) for pk, people in present.items()},
        }
    )
