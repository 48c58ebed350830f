"""The way of one API request: fault, key, rate, idempotency, check, execution, answer.

Refusals up to and including the parameter check leave no trace under the idempotency key; from
execution on, effects and answer are committed together, before the answer is sent.
"""

import asyncio
import base64
import binascii
import sqlite3
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field

from backoffice.stripe_sandbox import answers, expansion, forms, ids, routes
from backoffice.stripe_sandbox.answers import Answer
from backoffice.stripe_sandbox.errors import (
    ConnectionDroppedError,
    StripeError,
    internal_error,
    key_in_use,
    overloaded,
    rate_limited,
)
from backoffice.stripe_sandbox.faults import Draw, Faults, Kind
from backoffice.stripe_sandbox.idempotency import KeyRing, Use, use_of
from backoffice.stripe_sandbox.parameters import Params
from backoffice.stripe_sandbox.rate import TokenBucket
from backoffice.stripe_sandbox.webhooks import Webhooks
from backoffice.stripe_sandbox.world import API_VERSION, World

_KEPT_COUNTS = ("requests", "replays", "rate_limited")
SHORTEST_KEY = 16
TEST_KEYS = ("sk_test_", "rk_test_")


@dataclass(slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    query: bytes
    headers: dict[str, str]
    body: bytes
    identifier: str = field(default_factory=lambda: ids.new("req"))


@dataclass(slots=True)
class Call:
    """A request that passed every check: what is to be done, under which key, with what fate."""

    request: Request
    route: routes.Route
    path_ids: list[str]
    params: Params
    use: Use | None
    draw: Draw


@dataclass
class Api:
    """Everything under /v1."""

    world: World
    faults: Faults
    bucket: TokenBucket
    webhooks: Webhooks
    delay_ms: int = 0
    accepted_keys: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.keys = KeyRing(self.world)
        self._first_limits = (self.bucket.rate, self.delay_ms)
        for name in _KEPT_COUNTS:
            self.counts[name] = self.world.store.number(name)

    def set_limits(self, *, rate: float, delay_ms: int) -> None:
        """Requests a second (0: no limit) and milliseconds that every answer takes."""
        self.bucket.rate, self.delay_ms = rate, delay_ms
        self.bucket.reset()

    def restore_limits(self) -> None:
        """Back to what the command line said."""
        rate, delay_ms = self._first_limits
        self.set_limits(rate=rate, delay_ms=delay_ms)

    async def answer(self, request: Request) -> Answer:
        """Never raises but for ConnectionDroppedError, which asks for the line to be cut."""
        self.counts["requests"] += 1
        draw = self.faults.draw(request.method, request.path)
        if draw.kind == Kind.DROP_BEFORE:
            raise ConnectionDroppedError
        try:
            self._admit(request, draw)
            answer = await self._perform(request, draw)
        except StripeError as error:
            answer = answers.of_error(error)
        self.counts[f"status_{answer.status}"] += 1
        headers = answer.headers
        headers["request-id"] = request.identifier
        headers["stripe-version"] = request.headers.get("stripe-version", API_VERSION)
        if "idempotency-key" in request.headers:
            headers["idempotency-key"] = request.headers["idempotency-key"]
            headers.setdefault("original-request", request.identifier)
        return answer

    def _admit(self, request: Request, draw: Draw) -> None:
        """Who asks, and whether they ask too often; before the idempotency key is looked at."""
        key = _api_key(request.headers.get("authorization", ""))
        known = key in self.accepted_keys if self.accepted_keys else key.startswith(TEST_KEYS)
        if not known or draw.kind == Kind.AUTH_401:
            raise _unauthorised(key)
        if draw.kind == Kind.RATE_LIMIT or not self.bucket.take():
            self.counts["rate_limited"] += 1
            raise rate_limited()
        if draw.kind == Kind.ERROR_503:
            raise overloaded()

    async def _perform(self, request: Request, draw: Draw) -> Answer:
        pairs = forms.pairs(request.body) + forms.pairs(request.query)
        use = None
        key = request.headers.get("idempotency-key")
        if key and request.method == "POST":
            use = use_of(key, request.method, request.path, pairs)
            kept = self.keys.replay(use)
            if kept is not None:
                self.counts["replays"] += 1
                return await self._send_back(kept, draw)
        if draw.kind == Kind.CONFLICT_409:
            raise key_in_use(key or "")
        route, path_ids = routes.match(request.method, request.path)
        params = route.schema.checked(forms.nested(pairs))
        with self.keys.in_flight(use):
            await _sleep(self.delay_ms / 2 + draw.before_ms)
            answer = self._execute(Call(request, route, path_ids, params, use, draw))
        return await self._send_back(answer, draw)

    async def _send_back(self, answer: Answer, draw: Draw) -> Answer:
        """The work is committed; the answer may still be late, lost or damaged."""
        await _sleep(self.delay_ms / 2 + draw.after_ms)
        if draw.kind == Kind.LOST_ANSWER:
            raise ConnectionDroppedError
        if draw.kind == Kind.ERROR_502_HTML:
            return answers.bad_gateway()
        answer.is_cut = draw.kind == Kind.CUT_ANSWER
        return answers.truncated(answer) if draw.kind == Kind.TRUNCATED else answer

    def _execute(self, call: Call) -> Answer:
        """Runs the endpoint, if the fault lets it; commits effects and kept answer as one."""
        world, draw = self.world, call.draw
        world.request_id = call.request.identifier
        world.idempotency_key = call.use.key if call.use else None
        if draw.kind == Kind.ERROR_502_HTML and draw.rule and not draw.rule.kept:
            return answers.bad_gateway()
        if call.request.method == "GET":
            if draw.kind in (Kind.ERROR_500_KEPT, Kind.ERROR_500_LOST):
                raise internal_error()
            return _run(world, call)
        try:
            with world.store.transaction():
                if draw.kind == Kind.ERROR_500_LOST:
                    raise internal_error()
                answer = _run(world, call)
                if draw.kind == Kind.ERROR_500_KEPT:
                    answer = answers.of_error(internal_error())
                self._keep(call.use, answer)
        except StripeError as error:
            answer = answers.of_error(error)
            with world.store.transaction():
                self._keep(call.use, answer)
        self.webhooks.wake()
        return answer

    def _keep(self, use: Use | None, answer: Answer) -> None:
        if use is not None:
            self.keys.keep(use, answer)
        self.keep_counts()

    def keep_counts(self) -> None:
        """Written with every change, and at the end; a kill loses those of reads since."""
        for name in _KEPT_COUNTS:
            self.world.store.set_number(name, self.counts[name])


def _run(world: World, call: Call) -> Answer:
    try:
        result = call.route.endpoint(world, call.params, *call.path_ids)
        if call.params.get("expand"):
            expansion.expand(world, result, call.params["expand"])
    except (ArithmeticError, LookupError, TypeError, ValueError, sqlite3.Error) as error:
        # A mistake of the sandbox itself: say so where its owner looks, and play Stripe's 500.
        traceback.print_exc(file=sys.stderr)
        raise internal_error() from error
    return answers.of_object(result)


def _api_key(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""


def _unauthorised(key: str) -> StripeError:
    if not key:
        return StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    # Enough is shown that its owner can tell which key it was.
    shown = "" if len(key) < SHORTEST_KEY else key[-4:]
    return StripeError(401, f"Invalid API Key provided: {'*' * (len(key) - len(shown))}{shown}")


async def _sleep(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
