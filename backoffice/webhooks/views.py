"""The one door that Stripe posts to. It keeps and answers; workers do the rest."""

import logging
import time

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backoffice.webhooks.accepting import MalformedError, accept_event
from backoffice.webhooks.signatures import SignatureError, check_signature

log = logging.getLogger(__name__)

# Stripe's own are a few kilobytes, an invoice's some tens.
MOST_BYTES = 1024 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 once the event is kept, or was before. Anything else makes Stripe send it again.

    Without STRIPE_WEBHOOK_SECRETS the door does not exist. Nothing of what is refused is stored or
    logged but why.
    """
    if not settings.STRIPE_WEBHOOK_SECRETS:
        raise Http404
    signature = request.headers.get("Stripe-Signature", "")
    if not signature:
        return _refused(403, "It is not signed.")
    if request.content_type != "application/json":
        return _refused(415, "Only application/json is taken.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return _refused(413, f"More than {MOST_BYTES} bytes are not taken.")
    try:
        body = request.read(MOST_BYTES + 1)
        check_signature(
            body,
            signature,
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
            now=time.time(),
        )
        accept_event(body)
    except (SignatureError, MalformedError, UnreadablePostError) as error:
        return _refused(400, str(error))
    return HttpResponse(status=200)


def _refused(status: int, why: str) -> HttpResponse:
    log.warning("Stripe's door: %s %s", status, why)
    return HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
