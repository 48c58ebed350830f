"""Stripe's error answers: one exception that carries status and error object, in its words.

Source: https://docs.stripe.com/api/errors and the messages stripe.com really sends.
"""

from typing import Any


class StripeError(Exception):
    """A refusal in Stripe's shape; becomes the answer ``{"error": {...}}`` with ``status``."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class ConnectionDroppedError(Exception):
    """The line is to be cut without an answer: a fault that was asked for."""


def invalid(message: str, param: str | None = None, *, code: str | None = None) -> StripeError:
    return StripeError(400, message, code=code, param=param)


def missing_resource(
    noun: str, identifier: str, *, param: str = "id", status: int = 404
) -> StripeError:
    """An id that nothing answers to: 404 in the path, 400 (pass ``status``) in a parameter."""
    return StripeError(
        status, f"No such {noun}: '{identifier}'", code="resource_missing", param=param
    )


def rate_limited() -> StripeError:
    return StripeError(
        429,
        "Request rate limit exceeded. You can learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        code="rate_limit",
    )


def internal_error() -> StripeError:
    return StripeError(
        500,
        "Sorry! There was an error while talking to one of our backends. "
        "Support has been notified.",
        kind="api_error",
    )


def overloaded() -> StripeError:
    """Turned away at the door: nothing was done, and the key was not read."""
    return StripeError(503, "Our servers are busy. Please try again later.", kind="api_error")


def key_in_use(key: str) -> StripeError:
    return StripeError(
        409,
        "There is currently another in-progress request using this Idempotent Key "
        f"(that probably means you submitted twice, and the other request is still going "
        f"through): {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )
