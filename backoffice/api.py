"""The REST API's table of contents."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from backoffice.customers import viewsets as customers
from compensation import viewsets as compensation
from incidents import viewsets as incidents
from support import viewsets as support

router = SimpleRouter()
router.register("customers", customers.CustomerViewSet, basename="customer")
router.register("subscriptions", customers.SubscriptionViewSet, basename="subscription")
router.register("components", customers.ComponentViewSet, basename="component")
router.register("component-uses", customers.ComponentUseViewSet, basename="component-use")
router.register("portal-sessions", customers.PortalSessionViewSet, basename="portal-session")
router.register("incidents", incidents.IncidentViewSet, basename="incident")
router.register("outages", incidents.OutageViewSet, basename="outage")
router.register("cohorts", incidents.CohortViewSet, basename="cohort")
router.register("exposures", incidents.ExposureViewSet, basename="exposure")
router.register("policies", compensation.PolicyViewSet, basename="policy")
router.register("batches", compensation.BatchViewSet, basename="batch")
router.register("awards", compensation.AwardViewSet, basename="award")
router.register("claims", compensation.ClaimViewSet, basename="claim")
router.register("reversals", compensation.ReversalViewSet, basename="reversal")
router.register("tickets", support.TicketViewSet, basename="ticket")
router.register("attachments", support.AttachmentViewSet, basename="attachment")
router.register("queues", support.QueueViewSet, basename="queue")
router.register("goodwill", support.GoodwillViewSet, basename="goodwill")
router.register("macros", support.MacroViewSet, basename="macro")
router.register("sla-policies", support.SlaPolicyViewSet, basename="sla-policy")
router.register("incident-matches", support.MatchViewSet, basename="incident-match")
router.register("mass-replies", support.MassReplyViewSet, basename="mass-reply")
router.register("surveys", support.SurveyViewSet, basename="survey")

urlpatterns = [
    path("", include(router.urls)),
    path(
        "customers/<str:reference>/credits/",
        compensation.CreditsView.as_view(),
        name="customer-credits",
    ),
    path("reports/desk/", support.DeskReportView.as_view(), name="desk-report"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
]
