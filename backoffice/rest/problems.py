"""Errors as problem details (RFC 9457), each naming its field and what to do."""

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.utils.translation import gettext as _
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler, exception_handler
from drf_standardized_errors.types import ErrorResponse, ExceptionHandlerContext
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error

from backoffice.middleware import is_unstorable
from backoffice.states import MoveError


class Conflict(exceptions.APIException):
    """The thing is in a state in which this cannot be done."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class ProblemHandler(ExceptionHandler):
    """Knows the errors our verbs raise."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, MoveError):
            return Conflict(str(exc))
        if isinstance(exc, ModelError):
            return exceptions.ValidationError(as_serializer_error(exc))
        if is_unstorable(exc):
            said = _("Null characters cannot be stored.")
            return exceptions.ValidationError(said, code="unstorable_characters")
        converted: Exception = super().convert_known_exceptions(exc)
        return converted


class ProblemFormatter(ExceptionFormatter):
    """RFC 9457's members around the list of single errors."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        errors = [
            {"field": error.attr, "code": error.code, "detail": error.detail}
            for error in error_response.errors
        ]
        return {
            "type": "about:blank",
            "title": error_response.type.replace("_", " ").capitalize(),
            "status": self.exc.status_code,
            "detail": errors[0]["detail"],
            "errors": errors,
        }


def problem(exc: Exception, context: ExceptionHandlerContext) -> Response | None:
    """DRF's exception handler: the same answer, under its own media type."""
    response: Response | None = exception_handler(exc, context)
    if response is not None:
        response.content_type = "application/problem+json"
    return response
