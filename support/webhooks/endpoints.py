"""Endpoints: their secrets, and switching them off and on."""

import base64
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from backoffice.accounts.models import User
from backoffice.states import history
from compensation.authority import person_with
from support.authority import holders_of
from support.models import WebhookEndpoint
from support.staff_notices import notify

# How long the former secret signs as well.
OVERLAP = timedelta(hours=24)
# Off after failing for so long, and so often, without one success between.
LONGEST_FAILING = timedelta(days=3)
FEWEST_FAILURES = 10


def new_secret() -> str:
    """As Standard Webhooks has it: 32 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def rotate_secret(endpoint: WebhookEndpoint, *, by: User) -> str:
    """A new secret, which is told once; the former one signs as well for a day.

    Raises:
        PermissionDenied.
    """
    person = person_with(by, "support.change_webhookendpoint")
    secret = new_secret()
    with history(by=person, reason="secret"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
            former_secret=endpoint.secret,
            former_until=timezone.now() + OVERLAP,
            secret=secret,
        )
    endpoint.refresh_from_db()
    return secret


def switch_on(endpoint: WebhookEndpoint, *, by: User) -> None:
    """Send again what happens from now on, and what still waits.

    Raises:
        PermissionDenied.
    """
    person = person_with(by, "support.change_webhookendpoint")
    with history(by=person, reason="switched on"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
            is_active=True, failures=0, failing_since=None
        )
    endpoint.refresh_from_db()


def signatures(endpoint: WebhookEndpoint, name: str, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks for one message, signed at this moment."""
    now = timezone.now()
    keys = [endpoint.secret]
    if endpoint.former_secret and endpoint.former_until and endpoint.former_until > now:
        keys.append(endpoint.former_secret)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(name, now, body) for key in keys),
    }


def succeeded(endpoint: WebhookEndpoint) -> None:
    if endpoint.failures or endpoint.failing_since:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=0, failing_since=None)
        endpoint.failures, endpoint.failing_since = 0, None


def failed(endpoint: WebhookEndpoint, *, times: int, is_gone: bool) -> None:
    """So many failures more. Off when it fails for days, or says that it is gone (410)."""
    now = timezone.now()
    endpoint.failures += times
    endpoint.failing_since = endpoint.failing_since or now
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    rows.update(failures=endpoint.failures, failing_since=endpoint.failing_since)
    is_hopeless = (
        endpoint.failures >= FEWEST_FAILURES and now - endpoint.failing_since >= LONGEST_FAILING
    )
    if not (is_hopeless or is_gone):
        return
    reason = "it says that it is gone" if is_gone else "it has failed for days"
    with history(by=None, reason=reason):
        if not rows.filter(is_active=True).update(is_active=False):
            return
    told = holders_of("change_webhookendpoint")
    text = _("The webhook “%(name)s” was switched off: %(reason)s.") % {
        "name": endpoint,
        "reason": reason,
    }
    notify([*told, *([endpoint.created_by] if endpoint.created_by else [])], text=text)
