"""Signing an event and posting it: Stripe's signature, over one connection a delivery."""

import asyncio
import hashlib
import hmac
import ssl
import time
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0
_HEAD = (
    "POST {target} HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: {length}\r\n"
    "Stripe-Signature: {signature}\r\n"
    "Connection: close\r\n\r\n"
)


def signature(payload: str, secret: str, timestamp: int) -> str:
    """The header's value: HMAC-SHA256 of "t.payload", the time in Unix seconds.

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    signed = f"{timestamp}.{payload}".encode()
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


async def post(url: str, payload: str, secret: str) -> tuple[int | None, str]:
    """The status of the answer, or None and why there was none. The time signed is real time."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _exchange(url, payload, signature(payload, secret, int(time.time())))
    except TimeoutError:
        return None, f"no answer within {TIMEOUT_SECONDS:.0f} seconds"
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return None, str(error) or type(error).__name__


async def _exchange(url: str, payload: str, signed: str) -> tuple[int, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http address: {url}")
    context = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if context else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = payload.encode()
        head = _HEAD.format(target=target, host=parts.netloc, length=len(body), signature=signed)
        writer.write(head.encode() + body)
        await writer.drain()
        words = (await reader.readline()).split(None, 2)
        if len(words) < 2:  # noqa: PLR2004 - protocol and status
            raise ValueError("the answer is not HTTP")
        return int(words[1]), ""
    finally:
        writer.close()
