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
    """The fields, as DjangoQL's script reads them."""
    serializer = SuggestionsAPISerializer(reverse("condition-values"))
    return JsonResponse(serializer.serialize(ConditionSchema(Subscription)))


@require_GET
@staff_member_required
@permission_required("customers.view_subscription", raise_exception=True)
def condition_values(request: HttpRequest) -> HttpResponse:
    """Known values of `field` that contain `search`."""
    view = SuggestionsAPIView.as_view(schema=ConditionSchema(Subscription))
    answer: HttpResponse = view(request)
    return answer
