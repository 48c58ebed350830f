"""The control doors under /_sandbox: clock, reset, faults, totals, seeding, billing, webhooks.

They have no counterpart at Stripe, need no key, and answer callers on this machine only.
"""

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backoffice.stripe_sandbox.api import Api
from backoffice.stripe_sandbox.errors import StripeError, invalid
from backoffice.stripe_sandbox.resources import invoices
from backoffice.stripe_sandbox.seeding import Seeding
from backoffice.stripe_sandbox.totals import totals
from backoffice.stripe_sandbox.webhooks import PAUSES_SECONDS, Target

Door = Callable[[Request], Awaitable[Response]]


def is_local(request: Request) -> bool:
    """Whether the caller sits on this machine."""
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback


def guarded(door: Door) -> Door:
    """Refuses callers from elsewhere, and turns a refusal into its answer."""

    async def answer(request: Request) -> Response:
        if not is_local(request):
            return JSONResponse({"error": {"message": "Only from this machine."}}, status_code=403)
        try:
            return await door(request)
        except StripeError as error:
            return JSONResponse(error.body(), status_code=error.status)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return JSONResponse({"error": {"message": f"Bad request: {error}"}}, status_code=400)

    return answer


@dataclass
class Doors:
    """The handlers; each works on the one API object of the process."""

    api: Api
    first_target: Target

    def routes(self) -> list[Route]:
        doors: list[tuple[str, str, Door]] = [
            ("/clock", "GET", self.show_clock),
            ("/clock", "POST", self.move_clock),
            ("/reset", "POST", self.reset),
            ("/faults", "GET", self.show_faults),
            ("/faults", "POST", self.add_faults),
            ("/faults", "DELETE", self.clear_faults),
            ("/limits", "POST", self.set_limits),
            ("/totals", "GET", self.show_totals),
            ("/seed", "POST", self.seed),
            ("/bill", "POST", self.bill),
            ("/webhooks", "GET", self.show_webhooks),
            ("/webhooks", "POST", self.point_webhooks),
        ]
        return [
            Route(f"/_sandbox{path}", guarded(door), methods=[method])
            for path, method, door in doors
        ]

    async def show_clock(self, request: Request) -> Response:
        clock = self.api.world.clock
        return JSONResponse({"now": clock.now(), "offset_seconds": clock.offset_seconds})

    async def move_clock(self, request: Request) -> Response:
        """``{"advance_seconds": n}``: forward only, as time goes."""
        seconds = (await request.json())["advance_seconds"]
        if not isinstance(seconds, int) or seconds < 0:
            raise invalid("advance_seconds must be a whole number, 0 or more.", "advance_seconds")
        clock = self.api.world.clock
        clock.offset_seconds += seconds
        self.api.world.store.set_number("clock_offset", clock.offset_seconds)
        return await self.show_clock(request)

    async def reset(self, request: Request) -> Response:
        """As new: no state, no faults, real time, the limits and webhooks of the command line."""
        api = self.api
        api.webhooks.forget()
        api.world.store.clear()
        api.world.clock.offset_seconds = 0
        api.faults.clear()
        api.counts.clear()
        api.restore_limits()
        api.webhooks.point_to(self.first_target)
        return JSONResponse({"reset": True})

    async def show_faults(self, request: Request) -> Response:
        return JSONResponse({"rules": self.api.faults.shown()})

    async def add_faults(self, request: Request) -> Response:
        """A rule, a list of rules, or ``{"rules": [...]}``; added behind those in force."""
        given = await request.json()
        rules = given.get("rules", [given]) if isinstance(given, dict) else given
        self.api.faults.add(rules)
        return await self.show_faults(request)

    async def clear_faults(self, request: Request) -> Response:
        self.api.faults.clear()
        return await self.show_faults(request)

    async def set_limits(self, request: Request) -> Response:
        """``{"rate": requests a second or 0, "delay_ms": of every answer}``, either or both."""
        given = await request.json()
        self.api.set_limits(
            rate=float(given.get("rate", self.api.bucket.rate)),
            delay_ms=int(given.get("delay_ms", self.api.delay_ms)),
        )
        return JSONResponse({"rate": self.api.bucket.rate, "delay_ms": self.api.delay_ms})

    async def show_totals(self, request: Request) -> Response:
        key = request.query_params.get("metadata_key")
        return JSONResponse(totals(self.api.world.store, self.api.counts, key))

    async def seed(self, request: Request) -> Response:
        """A JSON array of records, or one record a line."""
        body = (await request.body()).strip()
        if body.startswith(b"["):
            records: list[dict[str, Any]] = json.loads(body)
        else:
            records = [json.loads(line) for line in body.splitlines() if line.strip()]
        return JSONResponse({"data": Seeding(self.api.world).seed(records)})

    async def bill(self, request: Request) -> Response:
        """``{"subscription": id}`` or ``{"customer": id, "amount": .., "currency": ..}``."""
        given = {name: str(value) for name, value in (await request.json()).items()}
        params = invoices.BILL.checked(given)
        with self.api.world.store.transaction():
            made = invoices.bill(self.api.world, params)
        self.api.webhooks.wake()
        return JSONResponse({"data": made})

    async def show_webhooks(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", "100"))
        webhooks = self.api.webhooks
        return JSONResponse({"url": webhooks.target.url, "deliveries": webhooks.log(limit)})

    async def point_webhooks(self, request: Request) -> Response:
        """``{"url": .., "secret": .., "pauses_seconds": [..]}``; an empty url stops the sending."""
        given = await request.json()
        pauses = tuple(float(pause) for pause in given.get("pauses_seconds", PAUSES_SECONDS))
        self.api.webhooks.point_to(Target(given["url"], given.get("secret", ""), pauses))
        return await self.show_webhooks(request)
