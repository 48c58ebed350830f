"""Where Stripe posts its events."""

from django.urls import path

from backoffice.webhooks.views import stripe_webhook

urlpatterns = [path("webhooks/stripe/", stripe_webhook, name="stripe-webhook")]
