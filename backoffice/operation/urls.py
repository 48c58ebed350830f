"""What monitoring asks."""

from django.urls import path

from backoffice.operation.views import Health, Ready, alive, metrics

urlpatterns = [
    path("healthz", alive, name="operation-alive"),
    path("readyz", Ready.as_view(), name="operation-ready"),
    path("health", Health.as_view(), name="operation-health"),
    path("metrics", metrics, name="operation-metrics"),
]
