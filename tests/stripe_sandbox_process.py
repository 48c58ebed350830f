"""Fixtures that give a test a Stripe to talk to: a real process, reset for each test."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from backoffice.stripe_sandbox.control import SandboxControl, SandboxProcess

API_KEY = "sk_test_sandbox"


@dataclass
class RunningSandbox(SandboxControl):
    """The control client of the running sandbox, with what a Stripe client needs to know."""

    address: str
    api_key: str = API_KEY

    def client(self, **options: Any) -> Any:
        """A StripeClient that talks to the sandbox; makes no retries unless told."""
        import stripe

        stripe.enable_telemetry = False
        return stripe.StripeClient(self.api_key, base_addresses={"api": self.address}, **options)


@pytest.fixture(scope="session")
def stripe_sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One process a session, without a rate limit unless a test sets one."""
    state = tmp_path_factory.mktemp("stripe_sandbox") / "state.sqlite3"
    with SandboxProcess(state, arguments=("--rate", "0")) as process:
        yield process


@pytest.fixture
def stripe_sandbox(
    stripe_sandbox_process: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningSandbox]:
    """An empty sandbox; Django's settings and the environment point to it while the test runs."""
    sandbox = RunningSandbox(stripe_sandbox_process.address)
    sandbox.reset()
    pointing = {"STRIPE_API_KEY": sandbox.api_key, "STRIPE_API_BASE": sandbox.address}
    for name, value in pointing.items():
        monkeypatch.setenv(name, value)
    if settings.configured:
        with override_settings(**pointing):
            yield sandbox
    else:
        yield sandbox
