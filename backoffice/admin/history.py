"""Who changed what, when, from where and why: the newest events of all tracked tables, to read."""

from typing import Any

import pghistory.core
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.models import User

SHOWN = 50
LAST_PAGE = 200
DONE = {"insert": gettext_lazy("created"), "delete": gettext_lazy("deleted")}
# Said elsewhere on the line, or of no use to a reader.
LEFT_OUT = {"id", "pgh_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pgh_context_id"}


def history(request: HttpRequest) -> HttpResponse:
    """The newest events of one table or all, 50 a page. Each table is read by its key."""
    if not request.user.has_perm("pghistory.view_events"):
        raise PermissionDenied
    tables = _tables()
    table = request.GET.get("table", "")
    page = _page(request)
    chosen = [tables[table]] if table in tables else list(tables.values())
    events = sorted(
        (event for model in chosen for event in _newest(model, request, page * SHOWN)),
        key=lambda event: event.pgh_created_at,
        reverse=True,
    )[(page - 1) * SHOWN : page * SHOWN]
    context = {
        **admin.site.each_context(request),
        "title": _("History"),
        "lines": _lines(events),
        "tables": [(name, _tracked(model)) for name, model in tables.items()],
        "table": table,
        "object_id": request.GET.get("object", ""),
        "newer": page - 1,
        "older": page + 1 if len(events) == SHOWN and page < LAST_PAGE else 0,
    }
    return TemplateResponse(request, "admin/history.html", context)


def _page(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    return min(max(int(asked), 1), LAST_PAGE) if asked.isdecimal() else 1


def _tables() -> dict[str, Any]:
    """The event models by the name of the table they follow."""
    models = {_tracked(model).label_lower: model for model in pghistory.core.event_models()}
    return dict(sorted(models.items()))


def _tracked(event: Any) -> Any:
    """The options of the model that an event (or its model) follows; some name it by a string."""
    model = event.pgh_tracked_model
    return (apps.get_model(model) if isinstance(model, str) else model)._meta


def _newest(model: Any, request: HttpRequest, count: int) -> list[Any]:
    events = model.objects.select_related("pgh_context").order_by("-pgh_id")
    if wanted := request.GET.get("object", ""):
        has_object = wanted.isdecimal() and hasattr(model, "pgh_obj_id")
        events = events.filter(pgh_obj_id=wanted) if has_object else events.none()
    return list(events[:count])


def _lines(events: list[Any]) -> list[dict[str, Any]]:
    people = User.objects.in_bulk({who for event in events if (who := _context(event).get("user"))})
    return [
        {
            "at": event.pgh_created_at,
            "what": _tracked(event).verbose_name,
            # An API key's id ends in its hash: its prefix is its name.
            "which": str(getattr(event, "pgh_obj_id", "")).partition(".")[0],
            "did": DONE.get(event.pgh_label, _("changed")),
            "who": people.get(_context(event).get("user")) or _context(event).get("key", ""),
            "why": _context(event).get("reason", ""),
            "where": _context(event).get("url", ""),
            "address": _context(event).get("address", ""),
            "values": _values(event),
        }
        for event in events
    ]


def _context(event: Any) -> dict[str, Any]:
    return event.pgh_context.metadata if event.pgh_context else {}


def _values(event: Any) -> list[tuple[str, str]]:
    """The row as it then was, without what is empty."""
    named = ((field.attname, getattr(event, field.attname)) for field in event._meta.fields)
    return [
        (name.removesuffix("_id"), str(value))
        for name, value in named
        if name not in LEFT_OUT and value not in (None, "", {}, [])
    ]
