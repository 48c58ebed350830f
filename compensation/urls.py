"""The customer's account pages."""

from django.urls import path

from compensation.views import (
    end_portal_visit,
    portal_claim,
    portal_claim_new,
    portal_claim_person,
    portal_credits,
    portal_home,
    portal_incident,
)

urlpatterns = [
    path("", portal_home, name="portal-home"),
    path("credits/", portal_credits, name="portal-credits"),
    path("claims/new/", portal_claim_new, name="portal-claim-new"),
    path("claims/C-<int:pk>/", portal_claim, name="portal-claim"),
    path("claims/C-<int:pk>/person/", portal_claim_person, name="portal-claim-person"),
    path("incidents/<slug:number>/", portal_incident, name="portal-incident"),
    path("end/", end_portal_visit, name="portal-end"),
]
