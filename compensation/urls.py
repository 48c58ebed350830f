"""The customer's account pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
