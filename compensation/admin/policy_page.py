"""What a policy's page shows: its versions."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest

from compensation.models import PolicyVersion

VERSION_BADGES = {"draft": "warn", "active": "good", "retired": "plain"}


def policy_page(request: HttpRequest, object_id: str) -> dict[str, Any]:
    """The policy's versions, newest first."""
    if not object_id.isdecimal():
        return {}
    versions = (
        PolicyVersion.objects.filter(policy=int(object_id))
        .select_related("created_by", "policy")
        .annotate(row_count=Count("rules", distinct=True))
        .order_by("-number")
    )
    return {
        "versions": [(version, VERSION_BADGES[version.state]) for version in versions],
        "may_draft": request.user.has_perm("compensation.add_policyversion"),
        "may_default": request.user.has_perm("compensation.change_policy"),
    }
