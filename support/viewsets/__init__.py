"""The API's doors to the desk."""

from support.viewsets.desk import (
    GoodwillViewSet,
    MacroViewSet,
    MassReplyViewSet,
    MatchViewSet,
    QueueViewSet,
    SlaPolicyViewSet,
    SurveyViewSet,
)
from support.viewsets.reports import DeskReportView
from support.viewsets.tickets import AttachmentViewSet, TicketViewSet

__all__ = [
    "AttachmentViewSet",
    "DeskReportView",
    "GoodwillViewSet",
    "MacroViewSet",
    "MassReplyViewSet",
    "MatchViewSet",
    "QueueViewSet",
    "SlaPolicyViewSet",
    "SurveyViewSet",
    "TicketViewSet",
]
