"""Stripe's signature: who sent these bytes, and when.

Source: https://docs.stripe.com/webhooks#verify-manually. The library's own check takes a time in
the future, so this one is our own.
"""

import hashlib
import hmac
from collections.abc import Sequence

TOLERANCE_SECONDS = 300
# More than two are never sent; what is longer is somebody trying.
MOST_SIGNATURES = 10


class SignatureError(Exception):
    """These bytes are not Stripe's, or not of now; the text says which."""


def check_signature(body: bytes, header: str, *, secrets: Sequence[str], now: float) -> None:
    """Raise unless one of `secrets` signed `body` within five minutes of `now` (Unix seconds).

    Several secrets are good while one is being replaced: Stripe then signs with both.

    Raises:
        SignatureError: no or another signature, or a time too old or too far ahead.
    """
    moment, signatures = _read(header)
    signed = moment.encode() + b"." + body
    good = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        for signature in signatures:
            # all are compared, so that the time taken tells nothing
            good |= hmac.compare_digest(expected, signature)
    if not good:
        raise SignatureError("No signature fits.")
    if abs(now - int(moment)) > TOLERANCE_SECONDS:
        raise SignatureError("It was signed too long ago, or its clock is ahead.")


def _read(header: str) -> tuple[str, list[bytes]]:
    parts = [part.strip().partition("=") for part in header.split(",")[: MOST_SIGNATURES + 1]]
    moments = [value for name, _, value in parts if name == "t"]
    signatures = [
        value.encode() for name, _, value in parts if name == "v1" and value.isascii() and value
    ]
    if len(moments) != 1 or not _is_moment(moments[0]) or not signatures:
        raise SignatureError("The signature is missing or is not one.")
    return moments[0], signatures


def _is_moment(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= 12  # noqa: PLR2004
