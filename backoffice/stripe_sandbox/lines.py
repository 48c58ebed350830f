"""The connections that are open, so that one can be cut in the middle of a request."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

Peer = tuple[str, int]


class Lines:
    """Transports by the address of their other end."""

    def __init__(self) -> None:
        self._open: dict[Peer, asyncio.Transport] = {}

    def cut(self, peer: Peer) -> None:
        """Reset the connection: the other end learns nothing of what was done."""
        transport = self._open.pop(peer, None)
        if transport is not None:
            transport.abort()

    def close(self, peer: Peer) -> None:
        """End the connection behind what was sent, however much was promised."""
        transport = self._open.pop(peer, None)
        if transport is not None:
            transport.close()

    def protocol(self) -> type[H11Protocol]:
        """Uvicorn's HTTP protocol, which also notes its line here."""
        opened = self._open

        class NotedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client:
                    opened[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    opened.pop(self.client, None)
                super().connection_lost(exc)

        return NotedProtocol
