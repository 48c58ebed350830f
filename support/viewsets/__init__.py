"""The API's doors to the desk."""

from support.viewsets.desk import (
    MacroViewSet,
    MassReplyViewSet,
    MatchViewSet,
    QueueViewSet,
    SlaPolicyViewSet,
    SurveyViewSet,
)
from support.viewsets.tickets import AttachmentViewSet, TicketViewSet

__all__ = [
    "AttachmentViewSet",
    "MacroViewSet",
    "MassReplyViewSet",
    "MatchViewSet",
    "QueueViewSet",
    "SlaPolicyViewSet",
    "SurveyViewSet",
    "TicketViewSet",
]
