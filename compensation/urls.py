"""The customer's account pages."""

from django.urls import path

from compensation.views import (
    end_portal_visit,
    portal_credits,
    portal_home,
    portal_incident,
)

urlpatterns = [
    path("", portal_home, name="portal-home"),
    path("credits/", portal_credits, name="portal-credits"),
    path("incidents/<slug:number>/", portal_incident, name="portal-incident"),
    path("end/", end_portal_visit, name="portal-end"),
]
