"""What the condition editor completes with. For staff who may see subscriptions."""

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET
from djangoql.serializers import SuggestionsAPISerializer
from djangoql.views import SuggestionsAPIView

from backoffice.customers.condition_fields import ConditionSchema
from backoffice.customers.models import Subscription


@require_GET
@staff_member_required
@permission_required("customers.view_subscription", raise_exception=True)
def condition_fields(request: HttpRequest) -> HttpResponse:
    return fields_answer(ConditionSchema(Subscription), reverse("condition-values"))


@require_GET
@staff_member_required
@permission_required("customers.view_subscription", raise_exception=True)
def condition_values(request: HttpRequest) -> HttpResponse:
    return values_answer(request, ConditionSchema(Subscription))


def fields_answer(schema: ConditionSchema, values_url: str) -> HttpResponse:
    """The fields, as DjangoQL's script reads them."""
    return JsonResponse(SuggestionsAPISerializer(values_url).serialize(schema))


def values_answer(request: HttpRequest, schema: ConditionSchema) -> HttpResponse:
    """Known values of `field` that contain `search`."""
    answer: HttpResponse = SuggestionsAPIView.as_view(schema=schema)(request)
    return answer
