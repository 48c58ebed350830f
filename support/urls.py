"""The desk's addresses that are no part of the admin's site."""

from django.urls import path

from support.views.conditions import condition_fields, condition_values
from support.views.contact import contact, contact_challenge, contact_confirm, contact_sent
from support.views.posted_mail import posted_mail
from support.views.requests import (
    portal_attachment,
    portal_request,
    portal_request_claim,
    portal_request_new,
    portal_request_solve,
    portal_requests,
)
from support.views.survey import survey

urlpatterns = [
    path("contact/", contact, name="contact"),
    path("contact/challenge/", contact_challenge, name="contact-challenge"),
    path("contact/sent/", contact_sent, name="contact-sent"),
    path("contact/confirm/<str:token>/", contact_confirm, name="contact-confirm"),
    path("survey/<str:token>/", survey, name="survey"),
    path("account/requests/", portal_requests, name="portal-requests"),
    path("account/requests/new/", portal_request_new, name="portal-request-new"),
    path("account/requests/T-<int:pk>/", portal_request, name="portal-request"),
    path("account/requests/T-<int:pk>/solved/", portal_request_solve, name="portal-request-solve"),
    path("account/requests/T-<int:pk>/mine/", portal_request_claim, name="portal-request-claim"),
    path("account/requests/files/<int:pk>/", portal_attachment, name="portal-attachment"),
    path("webhooks/mail/<slug:service>/", posted_mail, name="posted-mail"),
    path("admin/tickets/conditions/fields/", condition_fields, name="ticket-condition-fields"),
    path("admin/tickets/conditions/values/", condition_values, name="ticket-condition-values"),
]
