"""What the queue page's buttons call, and who is on which ticket."""

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from support import presence
from support.admin.ticket_list.asking import need, to_queue
from support.admin.ticket_list.bulk_doors import bulk_view
from support.admin.ticket_list.filter_words import choices_of, field_labels
from support.admin.ticket_list.news import news_view
from support.assignment import take_next
from support.models import SavedView, Ticket
from support.queue_filters import Filter, desk_of
from support.queue_views import delete_view, save_view, share_view


def list_urls(site: AdminSite) -> list[URLPattern]:
    wrap = site.admin_view
    return [
        path("<int:pk>/presence/", wrap(presence_view), name="support_ticket_presence"),
        path("filter/", wrap(filter_view), name="support_ticket_filter"),
        path("news/", wrap(news_view), name="support_ticket_news"),
        path("bulk/", wrap(bulk_view), name="support_ticket_bulk"),
        path("take-next/", wrap(take_next_view), name="support_ticket_take_next"),
        path("views/save/", wrap(save_view_door), name="support_savedview_save"),
        path("views/<int:pk>/share/", wrap(share_view_door), name="support_savedview_share"),
        path("views/<int:pk>/delete/", wrap(delete_view_door), name="support_savedview_delete"),
    ]


def presence_view(request: HttpRequest, pk: int) -> HttpResponse:
    """A page's heartbeat; the answer says in plain words who else is on the ticket."""
    user = need(request, "support.view_ticket")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    ticket = get_object_or_404(Ticket.objects.seen_by(user).only("pk"), pk=pk)
    doing = request.POST.get("doing", presence.VIEWING)
    if doing in presence.DOINGS:
        presence.note_presence(ticket.pk, user, doing)
    others = presence.present_on([ticket.pk], but=user).get(ticket.pk, [])
    return HttpResponse(presence.said(others), content_type="text/plain; charset=utf-8")


def filter_view(request: HttpRequest) -> HttpResponse:
    """The form of the filter, as the page that asks for it is filtered."""
    user = need(request, "support.view_ticket")
    desk, chosen = desk_of(user), Filter.read(request.GET)
    labels = field_labels()
    listed = [
        (name, labels[name], choices_of(name, desk), getattr(chosen, name))
        for name in ("status", "queue", "assignee", "band", "due", "channel", "language")
    ]
    typed = [
        (name, labels[name], getattr(chosen, name)) for name in ("incident", "tag", "customer")
    ]
    context = {"listed": listed, "typed": typed, "chosen": chosen}
    return TemplateResponse(request, "admin/support/ticket/filter_form.html", context)


def take_next_view(request: HttpRequest) -> HttpResponse:
    """The most urgent ticket that nobody has yet becomes the reader's, and opens."""
    user = need(request, "support.answer_ticket")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        ticket = take_next(by=user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return to_queue(request.POST.get("query", ""))
    if ticket is None:
        messages.info(request, _("No ticket waits that you could take."))
        return to_queue(request.POST.get("query", ""))
    return redirect("admin:support_ticket_change", ticket.pk)


def save_view_door(request: HttpRequest) -> HttpResponse:
    user = need(request, "support.view_ticket")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    query = request.POST.get("query", "")
    try:
        view = save_view(by=user, name=request.POST.get("name", ""), query=query)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return to_queue(query)
    messages.success(request, _("Saved as “{name}”.").format(name=view.name))
    return to_queue(view.query)


def share_view_door(request: HttpRequest, pk: int) -> HttpResponse:
    user = need(request, "support.share_savedview")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    view = get_object_or_404(SavedView, pk=pk)
    is_shared = request.POST.get("shared") == "1"
    share_view(view, by=user, is_shared=is_shared)
    said = _("Everybody sees “{name}” now.") if is_shared else _("“{name}” is its owner's alone.")
    messages.success(request, said.format(name=view.name))
    return to_queue(view.query)


def delete_view_door(request: HttpRequest, pk: int) -> HttpResponse:
    user = need(request, "support.view_ticket")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    view = get_object_or_404(SavedView, pk=pk)
    delete_view(view, by=user)
    messages.success(request, _("The view “{name}” is gone.").format(name=view.name))
    return to_queue()
