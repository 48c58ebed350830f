"""The API's doors to batches, awards and credits. None of them approves, pauses or issues."""

from typing import Any
from uuid import uuid4

from django.db.models import Count, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from backoffice.customers.models import Customer
from backoffice.rest.idempotency import idempotent
from backoffice.rest.models import ApiKey, Scope
from compensation.batches import create_batch, price_batch, submit_batch
from compensation.claims import NewClaim, file_claim
from compensation.credits import credits_of
from compensation.filters import AwardFilter, BatchFilter, ClaimFilter, PolicyFilter, ReversalFilter
from compensation.models import Award, Batch, Claim, Policy, PolicyVersion, ReversalRequest
from compensation.reversing import ask_for_award, ask_for_batch
from compensation.reversing.outlook import with_figures
from compensation.serializers import (
    AskedReversalSerializer,
    AwardSerializer,
    BatchDraftSerializer,
    BatchSerializer,
    ClaimSerializer,
    CreditsSerializer,
    ExplainedAwardSerializer,
    NewClaimSerializer,
    PolicySerializer,
    ReversalSerializer,
)
from compensation.summaries import summarise


class BatchViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    GenericViewSet[Batch],
):
    """Batches by number: draft, price and submit them; people approve in the admin."""

    scopes = {
        "list": Scope.BATCHES_READ,
        "retrieve": Scope.BATCHES_READ,
        "create": Scope.BATCHES_PROPOSE,
        "price": Scope.BATCHES_PROPOSE,
        "submit": Scope.BATCHES_PROPOSE,
    }
    serializer_class = BatchSerializer
    filterset_class = BatchFilter
    lookup_field = "number"
    lookup_value_regex = r"[\w-]+"

    def get_queryset(self) -> QuerySet[Batch]:
        signed = Count("approvals", filter=Q(approvals__withdrawn_at=None))
        return Batch.objects.select_related("incident", "version__policy", "submitted_by").annotate(
            signatures=signed
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        batch = self.get_object()
        summarise(batch)
        return Response(self.get_serializer(batch).data)

    @extend_schema(request=BatchDraftSerializer, responses={201: BatchSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Draft a batch."""
        draft = BatchDraftSerializer(data=request.data)
        draft.is_valid(raise_exception=True)
        batch = create_batch(
            draft.validated_data["incident"],
            draft.validated_data["policy"],
            key=_key_name(request),
        )
        return Response(self._fresh(batch), status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def price(self, request: Request, number: str) -> Response:
        """Work out every award, again if need be."""
        batch = price_batch(self.get_object(), key=_key_name(request))
        return Response(self._fresh(batch))

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def submit(self, request: Request, number: str) -> Response:
        """Freeze it and ask people for approval."""
        batch = submit_batch(self.get_object(), by=None, key=_key_name(request))
        return Response(self._fresh(batch))

    def _fresh(self, batch: Batch) -> Any:
        """The batch as it is now, with its figures."""
        again = self.get_queryset().get(pk=batch.pk)
        if again.state != Batch.State.DRAFT:
            summarise(again)
        return self.get_serializer(again).data


class AwardViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Award]):
    """Awards, newest first; a single one comes with its sum explained."""

    scopes = {"list": Scope.BATCHES_READ, "retrieve": Scope.BATCHES_READ}
    filterset_class = AwardFilter
    queryset = Award.objects.select_related(
        "batch__version__policy", "incident", "customer", "subscription"
    )

    def get_queryset(self) -> QuerySet[Award]:
        found = super().get_queryset()
        is_explained = self.action == "retrieve"
        return found.prefetch_related("batch__version__rules") if is_explained else found

    def get_serializer_class(self) -> type[AwardSerializer]:
        return ExplainedAwardSerializer if self.action == "retrieve" else AwardSerializer


class PolicyViewSet(ReadOnlyModelViewSet[Policy]):
    """Policies by key, each with its version in force. People write them in the admin."""

    scopes = {"list": Scope.POLICIES_READ, "retrieve": Scope.POLICIES_READ}
    serializer_class = PolicySerializer
    filterset_class = PolicyFilter
    lookup_field = "key"
    lookup_value_regex = r"[-\w]+"
    queryset = Policy.objects.prefetch_related(
        Prefetch(
            "versions",
            queryset=PolicyVersion.objects.filter(
                state=PolicyVersion.State.ACTIVE
            ).prefetch_related("rules"),
            to_attr="active",
        )
    )


class ReversalViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[ReversalRequest]
):
    """Reversals that were asked for, newest first. Asking proposes; people approve in the admin."""

    scopes = {
        "list": Scope.BATCHES_READ,
        "retrieve": Scope.BATCHES_READ,
        "create": Scope.BATCHES_PROPOSE,
    }
    serializer_class = ReversalSerializer
    filterset_class = ReversalFilter
    queryset = ReversalRequest.objects.select_related("batch", "asked_by")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return None if page is None else with_figures(page)

    def get_object(self) -> ReversalRequest:
        row: ReversalRequest = with_figures([super().get_object()])[0]
        return row

    @extend_schema(request=AskedReversalSerializer, responses={201: ReversalSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for an award or a batch to be taken back."""
        asked = AskedReversalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        words = {name: asked.validated_data[name] for name in ("cause", "reason")}
        key = _key_name(request)
        if award := asked.validated_data.get("award"):
            row = ask_for_award(award, by=None, key=key, **words)
        else:
            row = ask_for_batch(asked.validated_data["batch"], by=None, key=key, **words)
        with_figures([row])
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)


class ClaimViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Claim]):
    """What customers say did not work, newest first. What they get for it, people approve."""

    scopes = {
        "list": Scope.CLAIMS_READ,
        "retrieve": Scope.CLAIMS_READ,
        "create": Scope.CLAIMS_PROPOSE,
    }
    serializer_class = ClaimSerializer
    filterset_class = ClaimFilter
    queryset = Claim.objects.select_related(
        "customer", "subscription", "component", "incident", "batch"
    )

    @extend_schema(request=NewClaimSerializer, responses={201: ClaimSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Claim for a customer. It is answered at once where the data decide it."""
        said = NewClaimSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        claim = file_claim(
            NewClaim(
                **said.validated_data,
                key=f"api:{uuid4()}",
                api_key=_key_name(request),
            )
        )
        return Response(self.get_serializer(claim).data, status=status.HTTP_201_CREATED)


class CreditsView(APIView):
    """A customer's credits, as they see them on their account page."""

    scopes = {"get": Scope.PORTAL}

    @extend_schema(responses=CreditsSerializer, operation_id="customers_credits")
    def get(self, request: Request, reference: str) -> Response:
        customer = get_object_or_404(Customer, reference=reference)
        found = credits_of(customer)
        balances = [
            {"currency": currency, "amount_minor": amount_minor}
            for currency, amount_minor in sorted(found.balances_minor.items())
        ]
        answer = {"customer": reference, "balances": balances, "credits": found.credits}
        return Response(CreditsSerializer(answer).data)


def _key_name(request: Request) -> str:
    """Who did it, where no person did: the API key's name."""
    if not isinstance(request.auth, ApiKey):  # HasScope lets nobody else through
        raise TypeError("An API request without a key got past its permissions.")
    return str(request.auth.name)
