"""The ASGI application: /v1 goes straight to the API, everything else to doors and pages."""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from backoffice.stripe_sandbox.answers import Answer
from backoffice.stripe_sandbox.api import Api, Request
from backoffice.stripe_sandbox.doors import Doors
from backoffice.stripe_sandbox.errors import ConnectionDroppedError
from backoffice.stripe_sandbox.lines import Lines
from backoffice.stripe_sandbox.pages import routes as page_routes
from backoffice.stripe_sandbox.webhooks import Target


def build(api: Api, lines: Lines, first_target: Target) -> ASGIApp:
    """The whole of the sandbox as one ASGI callable."""
    others = Starlette(routes=[*Doors(api, first_target).routes(), *page_routes(api.world)])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            await _serve(api, lines, scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


async def _serve(api: Api, lines: Lines, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"],
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        body=await _body(receive),
    )
    try:
        answer = await api.answer(request)
    except ConnectionDroppedError:
        lines.cut(scope["client"])
        # One turn of the loop, so that the server has seen the line go before this call returns.
        await asyncio.sleep(0)
        return
    await _send(answer, send)
    if answer.is_cut:
        lines.close(scope["client"])
        await asyncio.sleep(0)


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(answer: Answer, send: Send) -> None:
    headers: list[tuple[bytes, Any]] = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.is_cut:
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
    else:
        await send({"type": "http.response.body", "body": answer.body})
