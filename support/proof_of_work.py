"""Work that a visitor's browser does before a public form is taken: ALTCHA's, without its servers.

The challenge is signed with a secret of our own and counts once, within its time; what it asks for
is a number whose PBKDF2 begins with a given byte (https://altcha.org/docs/v2/proof-of-work/).
"""

from datetime import timedelta
from typing import Any

import altcha
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

LIFETIME = timedelta(minutes=30)
LONGEST_ANSWER = 4000


def new_challenge() -> dict[str, Any]:
    """A challenge, as the page's script reads it."""
    challenge = altcha.create_challenge(
        algorithm="PBKDF2/SHA-256",
        cost=settings.CONTACT_WORK_ROUNDS,
        expires_at=timezone.now() + LIFETIME,
        hmac_secret=_secret(),
    )
    return challenge.to_dict()


def is_solved(answer: str) -> bool:
    """Whether `answer` solves a challenge of ours that is still valid and was not used before."""
    if not answer or len(answer) > LONGEST_ANSWER:
        return False
    try:
        payload = altcha.Payload.from_base64(answer)
        verified = altcha.verify_solution(payload, _secret()).verified
        nonce = payload.challenge.parameters.nonce
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return verified and cache.add(
        f"support.proof_of_work.{nonce}", 1, timeout=LIFETIME.total_seconds()
    )


def _secret() -> str:
    return salted_hmac("support.proof_of_work", "", algorithm="sha256").hexdigest()
