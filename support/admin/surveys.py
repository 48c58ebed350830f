"""What customers think, to look at; the sums stand in the reports."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.customers.admin.looks import link
from backoffice.display import moment
from backoffice.listing import BigList, ReadOnly
from support.models import Survey


@admin.register(Survey)
class SurveyAdmin(BigList, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Each question and its answer; the newest first."""

    list_display = ("kind", "score", "comment", "whose", "about", "sent", "answered")
    list_select_related = ("customer", "ticket", "incident")
    list_filter = (("kind", ChoicesDropdownFilter), "score")
    fields = ("kind", "score", "comment", "whose", "about", "award", "sent", "answered")
    readonly_fields = fields

    @display(description=_("customer"))
    def whose(self, survey: Survey) -> SafeString | str:
        if survey.customer is None:
            return survey.address or "–"
        return link("customers_customer_change", survey.customer, survey.customer.pk)

    @display(description=_("about"))
    def about(self, survey: Survey) -> SafeString | str:
        if survey.ticket is not None:
            return link("support_ticket_change", survey.ticket.number, survey.ticket.pk)
        if survey.incident is not None:
            return link("incidents_incident_change", survey.incident.number, survey.incident.pk)
        return "–"

    @display(description=_("sent"))
    def sent(self, survey: Survey) -> SafeString | str:
        return survey.delivery_error or moment(survey.sent_at)

    @display(description=_("answered"))
    def answered(self, survey: Survey) -> SafeString | str:
        return moment(survey.answered_at)
