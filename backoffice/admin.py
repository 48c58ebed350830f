"""The admin's front page and its navigation."""

from typing import Any

from django.http import HttpRequest


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What an incident manager or finance must see first."""
    return context


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, without what the person may not open."""
    return []
