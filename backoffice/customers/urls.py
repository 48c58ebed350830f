"""The addresses of the customers' own pages that are no part of the admin's site."""

from django.urls import path

from backoffice.customers.views.completion import condition_fields, condition_values
from backoffice.customers.views.portal import open_portal

urlpatterns = [
    path("account/open/<str:token>/", open_portal, name="portal-open"),
    path("admin/conditions/fields/", condition_fields, name="condition-fields"),
    path("admin/conditions/values/", condition_values, name="condition-values"),
]
