"""The desk's addresses that are no part of the admin's site."""

from django.urls import path

from support.views.conditions import condition_fields, condition_values

urlpatterns = [
    path("admin/tickets/conditions/fields/", condition_fields, name="ticket-condition-fields"),
    path("admin/tickets/conditions/values/", condition_values, name="ticket-condition-values"),
]
