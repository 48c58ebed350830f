"""Doors are shut: a view names the scope each action needs, or nobody gets in."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.rest.models import ApiKey


class HasScope(BasePermission):
    """The key's scopes hold `view.scopes[action]`; an action the view does not list is shut."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        action = getattr(view, "action", None) or str(request.method).lower()
        if action == "metadata":  # OPTIONS
            return True
        needed = getattr(view, "scopes", {}).get(action)
        if needed is None:
            return False
        self.message = f"This key lacks the scope {needed}: ask an administrator for one with it."
        return needed in request.auth.scopes
