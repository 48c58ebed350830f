"""Secrets of links in mails, made of SECRET_KEY: a row tells its link again, but stores none."""

import base64
import hashlib

from django.utils.crypto import salted_hmac


def token_for(purpose: str, key: str) -> str:
    """The secret of the link for `key`: 43 letters and digits that nobody guesses."""
    digest = salted_hmac(f"support.{purpose}", key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def hash_of(token: str) -> str:
    """What is stored of it: SHA-256, hex. It is random enough that nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
