"""What the editor of conditions on tickets completes with. For staff who may see tickets."""

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from backoffice.customers.views.completion import fields_answer, values_answer
from support.condition_fields import TicketSchema


@require_GET
@staff_member_required
@permission_required("support.view_ticket", raise_exception=True)
def condition_fields(request: HttpRequest) -> HttpResponse:
    return fields_answer(TicketSchema(), reverse("ticket-condition-values"))


@require_GET
@staff_member_required
@permission_required("support.view_ticket", raise_exception=True)
def condition_values(request: HttpRequest) -> HttpResponse:
    return values_answer(request, TicketSchema())
