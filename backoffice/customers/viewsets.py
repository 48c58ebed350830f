"""The API's doors to customers, subscriptions, components, their use, and portal sessions."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer, ValidationError
from rest_framework.viewsets import GenericViewSet

from backoffice.customers import filters, serializers, subscriptions
from backoffice.customers.component_uses import Use, UseError, record_uses, set_components
from backoffice.customers.models import Component, ComponentUse, Customer, Subscription
from backoffice.customers.portal import open_session
from backoffice.rest.idempotency import idempotent
from backoffice.rest.models import ApiKey, Scope

READ, WRITE = Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE


class WritableViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Any],
):
    """Rows that the host product keeps up to date; nothing is ever deleted."""

    scopes = {
        "list": READ,
        "retrieve": READ,
        "create": WRITE,
        "update": WRITE,
        "partial_update": WRITE,
    }

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)


class CustomerViewSet(WritableViewSet):
    """Customers, the newest first. Find one of yours by `?reference=`."""

    queryset = Customer.objects.all()
    serializer_class = serializers.CustomerSerializer
    filterset_class = filters.CustomerFilter

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = subscriptions.add_customer(**serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        customer: Any = serializer.instance
        subscriptions.change_customer(customer, **serializer.validated_data)


class SubscriptionViewSet(WritableViewSet):
    """Subscriptions, the newest first. Find those of a customer by `?customer=`."""

    queryset = Subscription.objects.select_related("customer").prefetch_related(
        "component_uses__component"
    )
    serializer_class = serializers.SubscriptionSerializer
    filterset_class = filters.SubscriptionFilter
    scopes = {**WritableViewSet.scopes, "components": WRITE}

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = subscriptions.add_subscription(**serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        subscription: Any = serializer.instance
        subscriptions.change_subscription(subscription, **serializer.validated_data)

    @extend_schema(
        request=serializers.ComponentKeysSerializer, responses=serializers.ChangedSerializer
    )
    @action(detail=True, methods=["put"])
    def components(self, request: Request, pk: str) -> Response:
        """Say all the components that it uses; others are taken away."""
        wanted = _valid(serializers.ComponentKeysSerializer, request)["components"]
        return Response(asdict(set_components(self.get_object(), wanted)))


class ComponentViewSet(mixins.ListModelMixin, mixins.CreateModelMixin, GenericViewSet[Component]):
    """The parts of the service."""

    queryset = Component.objects.all()
    serializer_class = serializers.ComponentSerializer
    filterset_class = filters.ComponentFilter
    scopes = {"list": READ, "create": WRITE}

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().create(request, *args, **kwargs)


class ComponentUseViewSet(mixins.ListModelMixin, GenericViewSet[ComponentUse]):
    """Which subscription uses which component."""

    queryset = ComponentUse.objects.select_related("subscription", "component")
    serializer_class = serializers.ComponentUseSerializer
    filterset_class = filters.ComponentUseFilter
    scopes = {"list": READ, "create": WRITE}

    @extend_schema(
        request=serializers.UsesSerializer, responses={200: serializers.ChangedSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Add and remove up to 1,000 uses; sending them again changes nothing."""
        rows = _valid(serializers.UsesSerializer, request)["uses"]
        try:
            changed = record_uses([Use(**row) for row in rows])
        except UseError as error:
            raise ValidationError({"uses": _by_row(error, len(rows))}) from None
        return Response(asdict(changed))


class PortalSessionViewSet(GenericViewSet[Any]):
    """One-time links to a customer's account pages.

    Asking again makes another link: an answer kept for a repetition would be a stored secret.
    """

    scopes = {"create": Scope.PORTAL}

    @extend_schema(
        request=serializers.PortalSessionRequestSerializer,
        responses={201: serializers.PortalSessionSerializer},
    )
    def create(self, request: Request) -> Response:
        """Open the account pages of a customer who is signed in with you."""
        asked = _valid(serializers.PortalSessionRequestSerializer, request)
        key: Any = request.auth
        by = key.name if isinstance(key, ApiKey) else ""
        session, url = open_session(
            asked["customer"], created_by=by, return_url=asked["return_url"]
        )
        answer = {
            "id": session.pk,
            "customer": asked["customer"].reference,
            "url": url,
            "expires_at": session.link_expires_at,
        }
        return Response(
            serializers.PortalSessionSerializer(answer).data,
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )


def _valid(serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def _by_row(error: UseError, count: int) -> list[dict[str, list[str]]]:
    """As DRF tells errors of a list: one dictionary a row, empty where all is well."""
    rows: list[dict[str, list[str]]] = [{} for _ in range(count)]
    for problem in error.problems:
        rows[problem.index].setdefault(problem.field, []).append(problem.message)
    return rows
