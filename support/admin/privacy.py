"""What is kept about a person: told in figures, exported, erased; and who did that when."""

from tempfile import TemporaryFile
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.customers.models import Customer
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from compensation.admin.doors import call, post_only
from support.models import PrivacyRequest
from support.privacy import Person, ask_erasure, export_person, figures_of, person_of

EXPORT, ERASE = "support.export_person", "support.erase_person"


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """The record of exports and erasures, and the page from which they are made."""

    list_display = ("kind", "whom", "by", "started", "state")
    list_select_related = ("customer", "by")
    list_filter = ("kind",)
    fields = ("kind", "whom", "by", "reason", "numbers", "started", "state")
    readonly_fields = fields
    list_before_template = "admin/support/privacy/ask.html"

    @display(description=gettext_lazy("person"))
    def whom(self, row: PrivacyRequest) -> str:
        return row.customer.reference if row.customer else f"#{row.address_hash[:12]}"

    @display(description=gettext_lazy("started"))
    def started(self, row: PrivacyRequest) -> SafeString | str:
        return moment(row.started_at)

    @display(description=gettext_lazy("state"), label={"done": "success", "open": "warning"})
    def state(self, row: PrivacyRequest) -> tuple[str, str]:
        return ("done", _("done")) if row.finished_at else ("open", _("being done"))

    @display(description=gettext_lazy("figures"))
    def numbers(self, row: PrivacyRequest) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in row.figures.items())

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = super().get_urls()
        return [
            path("person/", wrap(self.person_view), name="support_privacyrequest_person"),
            path("export/", wrap(self.export_view), name="support_privacyrequest_export"),
            path("erase/", wrap(self.erase_view), name="support_privacyrequest_erase"),
            *urls,
        ]

    def person_view(self, request: HttpRequest) -> HttpResponse:
        """`?customer=` a customer's id or `?address=`: what is kept, and what can be done."""
        if not (request.user.has_perm(EXPORT) or request.user.has_perm(ERASE)):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Data kept about a person"),
            "asked": {name: request.GET.get(name, "") for name in ("customer", "address")},
        }
        if any(context["asked"].values()):
            try:
                person = _person(request.GET)
            except ValidationError as error:
                context["errors"] = error.messages
            else:
                context |= self._about(request, person)
        return TemplateResponse(request, "admin/support/privacy/person.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The ZIP file."""
        if refusal := post_only(request, EXPORT):
            return refusal
        user: Any = request.user
        try:
            person = _person(request.POST)
        except ValidationError:
            return redirect(_page_of(request))
        file = TemporaryFile()  # noqa: SIM115 - the response closes it when it is sent
        record = export_person(person, by=user, into=file)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"person-{record.pk}.zip")

    def erase_view(self, request: HttpRequest) -> HttpResponse:
        """Asked once with the figures; a worker does it, however much there is."""
        if refusal := post_only(request, ERASE):
            return refusal
        user: Any = request.user
        done = call(
            request,
            lambda: ask_erasure(
                _person(request.POST), by=user, reason=request.POST.get("reason", "")
            ),
            _("It is being erased: this list tells when it is done."),
        )
        if done and request.user.has_perm("support.view_privacyrequest"):
            return redirect("admin:support_privacyrequest_changelist")
        return redirect(_page_of(request))

    def _about(self, request: HttpRequest, person: Person) -> dict[str, Any]:
        figures = figures_of(person)
        return {
            "person": person,
            "figures": figures,
            "is_empty": not any(
                (figures.tickets, figures.messages, figures.files, figures.surveys, figures.users)
            ),
            "may_export": request.user.has_perm(EXPORT),
            "may_erase": request.user.has_perm(ERASE),
            "earlier": PrivacyRequest.objects.filter(
                customer=person.customer, address_hash=person.address_hash
            ).select_related("by")[:10],
        }


def _person(asked: Any) -> Person:
    customer = asked.get("customer", "")
    if not customer:
        return person_of(address=asked.get("address", ""))
    found = Customer.objects.filter(pk=customer).first() if customer.isdecimal() else None
    if found is None:
        raise ValidationError({"customer": _("There is no such customer.")})
    return person_of(customer=found)


def _page_of(request: HttpRequest) -> str:
    query = "&".join(
        f"{name}={request.POST[name]}" for name in ("customer", "address") if request.POST.get(name)
    )
    return f"{reverse('admin:support_privacyrequest_person')}?{query}"
