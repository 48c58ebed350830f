"""``python -m backoffice.stripe_sandbox``: starts the sandbox, prints its address when ready."""

import argparse
from pathlib import Path

from backoffice.stripe_sandbox.server import Options, run
from backoffice.stripe_sandbox.webhooks import Target


def parsed(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m backoffice.stripe_sandbox",
        description="A small stateful Stripe to run against. No real money is involved.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--state", type=Path, required=True, help="the SQLite file that it keeps")
    parser.add_argument(
        "--rate", type=float, default=100.0, help="requests a second before 429; 0: no limit"
    )
    parser.add_argument("--delay-ms", type=int, default=0, help="how long every answer takes")
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default="")
    parser.add_argument(
        "--seed-key",
        action="append",
        default=[],
        help="an API key to accept, may be given again; without it any sk_test_ key is",
    )
    parser.add_argument(
        "--end-with-parent", action="store_true", help="stop when the process that started it ends"
    )
    given = parser.parse_args(arguments)
    return Options(
        state=given.state,
        host=given.host,
        port=given.port,
        rate=given.rate,
        delay_ms=given.delay_ms,
        webhooks=Target(given.webhook_url, given.webhook_secret),
        accepted_keys=frozenset(given.seed_key),
        ends_with_parent=given.end_with_parent,
    )


if __name__ == "__main__":
    run(parsed())
