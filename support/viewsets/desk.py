"""What the desk is set up with and what it found out: to read. People change it in the admin."""

from django.db.models import Count, Q
from rest_framework.viewsets import ReadOnlyModelViewSet

from backoffice.rest.models import Scope
from support import filters
from support.models import (
    Goodwill,
    IncidentMatch,
    Macro,
    MassReply,
    MassReplyRecipient,
    Queue,
    SlaPolicy,
    Survey,
)
from support.serializers import reading

READ = {"list": Scope.TICKETS_READ, "retrieve": Scope.TICKETS_READ}
_OF = {
    state: Count("recipients", filter=Q(recipients__state=state))
    for state in MassReplyRecipient.State.values
}


class QueueViewSet(ReadOnlyModelViewSet[Queue]):
    """Queues by their short name."""

    scopes = READ
    serializer_class = reading.QueueSerializer
    queryset = Queue.objects.all()
    lookup_field = "slug"


class MacroViewSet(ReadOnlyModelViewSet[Macro]):
    """Ready-made answers."""

    scopes = READ
    serializer_class = reading.MacroSerializer
    queryset = Macro.objects.all()


class SlaPolicyViewSet(ReadOnlyModelViewSet[SlaPolicy]):
    """Promises, with the order in which they are tried in `position`."""

    scopes = READ
    serializer_class = reading.SlaPolicySerializer
    queryset = SlaPolicy.objects.select_related("calendar")


class MatchViewSet(ReadOnlyModelViewSet[IncidentMatch]):
    """Which tickets may be about which incident, and what people said to it."""

    scopes = READ
    serializer_class = reading.MatchSerializer
    filterset_class = filters.MatchFilter
    queryset = IncidentMatch.objects.select_related("incident", "decided_by")


class MassReplyViewSet(ReadOnlyModelViewSet[MassReply]):
    """Answers to all tickets of an incident, with how far they are."""

    scopes = READ
    serializer_class = reading.MassReplySerializer
    filterset_class = filters.MassReplyFilter
    queryset = MassReply.objects.select_related("incident").annotate(**_OF)


class GoodwillViewSet(ReadOnlyModelViewSet[Goodwill]):
    """What agents gave from tickets, newest first. Only people give; finance's part is a batch."""

    scopes = READ
    serializer_class = reading.GoodwillSerializer
    filterset_class = filters.GoodwillFilter
    queryset = Goodwill.objects.select_related("award__customer", "award__batch", "by")


class SurveyViewSet(ReadOnlyModelViewSet[Survey]):
    """What customers answered."""

    scopes = READ
    serializer_class = reading.SurveySerializer
    filterset_class = filters.SurveyFilter
    queryset = Survey.objects.select_related("incident", "customer")
