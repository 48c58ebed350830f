"""The reader's language and time zone; and who is behind a change."""

import zoneinfo
from collections.abc import Callable
from typing import Any

import pghistory.middleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django_structlog.middlewares import RequestMiddleware


class ReaderMiddleware:
    """Shows times in the signed-in user's zone, and texts in their language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return self.get_response(request)
        try:
            zone = zoneinfo.ZoneInfo(user.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone), translation.override(user.language):
            request.LANGUAGE_CODE = user.language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", user.language)
            return response


class HistoryMiddleware(pghistory.middleware.HistoryMiddleware):
    """Adds to every change made in a request: who, from which page, from which address.

    That is said to the database again with every statement, which costs a request by the thousand
    a quarter of its time: not behind the doors of `HISTORY_NOT_BEHIND`, where nothing is changed
    that has such a history, or by verbs that say it themselves.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_apart = request.path_info.startswith(settings.HISTORY_NOT_BEHIND)
        answer = self.get_response if is_apart else super().__call__
        response: HttpResponse = answer(request)
        return response

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_context(request), "address": request.META.get("REMOTE_ADDR", "")}


class LogMiddleware(RequestMiddleware):
    """Gives every line logged in a request its id, and ends with a line about the answer.

    The line names the page's route: its address may hold a one-time token or a search.
    """

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        try:
            route = resolve(request.path_info).route
        except Resolver404:
            return f"{request.method} an unknown page"
        return f"{request.method} /{route}"
