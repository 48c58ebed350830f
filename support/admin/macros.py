"""Macros: written by leads, tried on a real ticket before anybody gets them."""

import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.customers.models.customer import Language
from support.actions import describe
from support.admin.macro_form import MacroForm
from support.macros import VARIABLES, render_macro
from support.models import Macro, Ticket

PREVIEW = "admin/support/macro/preview.html"
DEFAULT_EXAMPLE = '{{ customer.first_name | default: "there" }}'


@admin.register(Macro)
class MacroAdmin(ModelAdmin):  # type: ignore[misc]
    """In the order in which agents are offered them."""

    form = MacroForm
    change_form_template = "admin/support/macro/change_form.html"
    add_form_template = "admin/support/macro/change_form.html"
    empty_hint = later("No macro yet: a macro answers what is asked again and again.")
    list_display = ("name", "languages", "does", "offered", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("position", "name")
    filter_horizontal = ("queues",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "text_en", "text_de", "text_ru", "actions")}),
        (later("Offered"), {"fields": ("condition", "queues", "position", "is_active")}),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("preview/", view, name="support_macro_preview"), *urls]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        more = {
            "variables": [(name, known.what) for name, known in VARIABLES.items()],
            "default_example": DEFAULT_EXAMPLE,
        }
        answer: HttpResponse = super().changeform_view(
            request, object_id, form_url, (extra_context or {}) | more
        )
        return answer

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The macro as it stands in the form, for a ticket that the reader may see."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        context = _tried(request)
        return TemplateResponse(request, PREVIEW, context)

    @display(description=later("languages"))
    def languages(self, macro: Macro) -> str:
        return ", ".join(str(Language(code).label) for code, text in macro.texts.items() if text)

    @display(description=later("does"))
    def does(self, macro: Macro) -> str:
        return "; ".join(describe(macro.actions)) or "–"

    @display(description=later("offered when"))
    def offered(self, macro: Macro) -> str:
        return macro.condition or _("always")


def _tried(request: HttpRequest) -> dict[str, Any]:
    """What the macro in the form would say in each of its languages, and do; or what is wrong."""
    typed = request.POST.get("preview_ticket", "")
    number = re.sub(r"\D", "", typed)
    if not number:
        return {"hint": _("Give the number of a ticket to see what it would get.")}
    ticket = (
        Ticket.objects.seen_by(request.user)
        .select_related("customer", "incident", "queue")
        .filter(pk=int(number[:18]))
        .first()
    )
    if ticket is None:
        return {"hint": _("You see no ticket {number}.").format(number=typed[:20])}
    # as if its name were free: the macro may be on file already
    form = MacroForm(request.POST, instance=Macro())
    form.is_valid()
    wrong = [text for name, errors in form.errors.items() if name != "name" for text in errors]
    macro = form.instance
    context: dict[str, Any] = {"ticket": ticket, "wrong": wrong, "does": describe(macro.actions)}
    if not wrong:
        context["said"] = _said(macro, ticket, request.user)
    return context


def _said(macro: Macro, ticket: Ticket, user: Any) -> dict[str, Any]:
    try:
        rendered = render_macro(macro, ticket, user)
    except ValidationError as error:
        return {"refusals": error.messages}
    return {"rendered": rendered, "language": Language(rendered.language).label}
