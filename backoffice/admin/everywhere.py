"""What every page of the admin says: where money goes, and whether issuing is stopped."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from compensation.models import IssuingControl


def environment(request: HttpRequest) -> list[Any]:
    """A label in the header: which Stripe the credits go to."""
    if settings.STRIPE_IS_SANDBOX:
        return [_("Stripe sandbox"), "info"]
    if settings.STRIPE_API_KEY.startswith("sk_test_"):
        return [_("Stripe test mode"), "warning"]
    return [_("Stripe live"), "danger"]


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """The switch, where it is off and the reader may see it: the base template warns of it."""
    if not request.user.has_perm("compensation.view_issuingcontrol"):
        return {}
    stopped = IssuingControl.objects.filter(is_stopped=True).select_related("changed_by").first()
    return {
        "issuing_stopped": stopped,
        "may_resume_issuing": request.user.has_perm("compensation.stop_issuing"),
    }
