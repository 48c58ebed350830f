"""The OpenAPI document: names the header that makes creating safe to repeat, and our errors."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One error of a problem."""

    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemErrorSerializer(many=True)  # type: ignore[assignment] # a field of that name


class AutoSchema(BaseAutoSchema):
    """Adds the Idempotency-Key header and the problem answers to every operation."""

    def get_override_parameters(self) -> list[Any]:
        action = getattr(self.view, "action", None)
        method = getattr(self.view, action, None) if action else None
        if self.method == "POST" and getattr(method, "is_idempotent", False):
            return [
                OpenApiParameter(
                    "Idempotency-Key",
                    str,
                    OpenApiParameter.HEADER,
                    description="Send the same key again and get the first answer again.",
                )
            ]
        return []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        if direction == "response":
            codes = ["400", "401", "403", "404", "409", "429"]
            for code in codes:
                bodies.setdefault(
                    code,
                    self._get_response_for_code(  # type: ignore[no-untyped-call]
                        ProblemSerializer, code, ["application/problem+json"]
                    ),
                )
        return bodies
