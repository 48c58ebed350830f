"""The process: kept state, clean ends, totals, seeding, and the command line."""

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import stripe

from backoffice.stripe_sandbox.__main__ import parsed
from backoffice.stripe_sandbox.control import PROJECT, SandboxControl, SandboxError, SandboxProcess


@pytest.fixture
def process(tmp_path):
    sandbox = SandboxProcess(tmp_path / "kept" / "state.sqlite3", arguments=("--rate", "0"))
    sandbox.start()
    yield sandbox
    sandbox.stop()


def listens(port):
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def client_of(process):
    stripe.enable_telemetry = False
    return stripe.StripeClient("sk_test_x", base_addresses={"api": process.address})


def test_killed_and_restarted_it_knows_everything(process):
    client = client_of(process)
    customer = client.v1.customers.create({"name": "Ada"})

    def credit():
        return client.v1.customers.balance_transactions.create(
            customer.id, {"amount": -100, "currency": "eur"}, {"idempotency_key": "k"}
        )

    first = credit()
    assert process.kill() == -signal.SIGKILL
    with pytest.raises(stripe.APIConnectionError):
        credit()
    control = process.start()
    again = credit()
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert client.v1.customers.retrieve(customer.id).balance == -100
    held = control.totals()
    assert (held["requests"], held["replays"]) == (4, 1)


def test_every_answer_given_before_a_kill_is_kept(process):
    client = client_of(process)
    customer = client.v1.customers.create()
    answered = []

    def credit_until_it_dies(number):
        try:
            for turn in range(1000):
                key = f"{number}-{turn}"
                client.v1.customers.balance_transactions.create(
                    customer.id,
                    {"amount": -1, "currency": "eur", "metadata": {"award": key}},
                    {"idempotency_key": key},
                )
                answered.append(key)
        except stripe.APIConnectionError:
            pass

    threads = [threading.Thread(target=credit_until_it_dies, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while len(answered) < 100:
        pass
    process.kill()
    for thread in threads:
        thread.join()
    control = process.start()
    entries = client.v1.customers.balance_transactions.list(customer.id, {"limit": 100})
    kept = [entry.metadata["award"] for entry in entries.auto_paging_iter()]
    assert len(kept) == len(set(kept))
    assert set(answered) <= set(kept)
    # At most the one request of each thread that was under way.
    assert len(set(kept) - set(answered)) <= len(threads)
    by_award = control.totals("award")["by_metadata"]
    assert by_award == {
        "key": "award",
        "credited": len(kept),
        "credited_more_than_once": 0,
        "examples": [],
    }


def test_clock_survives_a_restart(process):
    control = SandboxControl(process.address)
    control.advance(1000)
    before = control.now()
    process.kill()
    assert process.start().now() - before in range(60)


def test_ends_cleanly_when_told(process):
    client_of(process).v1.customers.list()
    assert process.stop() == 0


def test_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import os, pathlib, signal\n"
        "from backoffice.stripe_sandbox.control import SandboxProcess\n"
        f"process = SandboxProcess(pathlib.Path({str(tmp_path / 's')!r}))\n"
        "print(process.start().address, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False
    )
    port = int(run.stdout.strip().rpartition(":")[2])
    limit = time.monotonic() + 30
    while listens(port) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not listens(port)


def test_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sandbox = SandboxProcess(tmp_path / "s", port=taken.getsockname()[1])
        with pytest.raises(SandboxError, match="didn't start"):
            sandbox.start()


def test_only_the_named_keys(tmp_path):
    arguments = ("--seed-key", "sk_test_one", "--rate", "1")
    with SandboxProcess(tmp_path / "s", arguments=arguments) as process:
        with pytest.raises(stripe.AuthenticationError):
            client_of(process).v1.customers.list()
        good = stripe.StripeClient("sk_test_one", base_addresses={"api": process.address})
        good.v1.customers.list()
        with pytest.raises(stripe.RateLimitError):
            good.v1.customers.list()


def test_it_loads_nothing_of_what_it_serves():
    """It plays a foreign company."""
    code = "import sys, backoffice.stripe_sandbox.server; print(*sys.modules)"
    run = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    ours = {name for name in loaded if name.startswith("backoffice.")}
    assert {name.split(".")[1] for name in ours} == {"stripe_sandbox"}
    assert loaded.isdisjoint({"django", "celery", "psycopg", "redis", "stripe"})


def test_command_line(tmp_path):
    options = parsed(
        ["--state", str(tmp_path), "--webhook-url", "http://x/", "--webhook-secret", "whsec_1"]
    )
    assert (options.port, options.rate, options.delay_ms) == (0, 100.0, 0)
    assert (options.webhooks.url, options.webhooks.secret) == ("http://x/", "whsec_1")
    assert options.accepted_keys == frozenset()
