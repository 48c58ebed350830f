"""Object ids that look like Stripe's; from a reference they are the same in every run."""

import hashlib
import secrets

_LENGTHS = {"cus": 14, "prod": 14, "sub": 24, "si": 14, "price": 24, "cbtxn": 24, "in": 24}


def new(prefix: str) -> str:
    length = _LENGTHS.get(prefix, 24)
    return f"{prefix}_{secrets.token_hex(length // 2)}"


def from_reference(prefix: str, reference: str) -> str:
    digest = hashlib.sha256(f"{prefix}:{reference}".encode()).hexdigest()
    return f"{prefix}_{digest[: _LENGTHS.get(prefix, 24)]}"
