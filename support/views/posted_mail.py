"""The door for mail services: one address a service, read by django-anymail's views."""

from importlib import import_module

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

# The services that post mail, and what django-anymail calls their door for it.
SERVICES = {
    "amazon_ses": "AmazonSESInboundWebhookView",
    "brevo": "BrevoInboundWebhookView",
    "mailersend": "MailerSendInboundWebhookView",
    "mailgun": "MailgunInboundWebhookView",
    "mailjet": "MailjetInboundWebhookView",
    "mailtrap": "MailtrapInboundWebhookView",
    "mandrill": "MandrillCombinedWebhookView",
    "postal": "PostalInboundWebhookView",
    "postmark": "PostmarkInboundWebhookView",
    "resend": "ResendInboundWebhookView",
    "sendgrid": "SendGridInboundWebhookView",
    "sparkpost": "SparkPostInboundWebhookView",
}


@csrf_exempt
def posted_mail(request: HttpRequest, service: str) -> HttpResponseBase:
    """A mail as `service` posts it. Without ANYMAIL_WEBHOOK_SECRET the door does not exist.

    The view checks the secret (HTTP basic authentication) and the service's own signature, where it
    has one; it answers 200 only when the mail is kept.
    """
    if not settings.ANYMAIL.get("WEBHOOK_SECRET") or service not in SERVICES:
        raise Http404
    module = import_module(f"anymail.webhooks.{service}")
    view = getattr(module, SERVICES[service])
    answer: HttpResponseBase = view.as_view()(request)
    return answer
