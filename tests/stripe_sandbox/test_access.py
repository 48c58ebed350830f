"""Who may ask, how often, and what is not there."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest
import stripe

from backoffice.stripe_sandbox.control import SandboxError


def ask(sandbox, method, path, headers=None):
    parts = urlsplit(sandbox.address)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    line.request(method, path, headers=headers or {})
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer, body


def test_no_key(stripe_sandbox):
    answer, body = ask(stripe_sandbox, "GET", "/v1/customers")
    assert answer.status == 401
    error = json.loads(body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("You did not provide an API key.")


@pytest.mark.parametrize("key", ["sk_live_abcdefghijkl", "nonsense"])
def test_key_that_is_no_test_key(stripe_sandbox, key):
    client = stripe.StripeClient(key, base_addresses={"api": stripe_sandbox.address})
    with pytest.raises(stripe.AuthenticationError) as refusal:
        client.v1.customers.list()
    assert refusal.value.http_status == 401
    assert key not in str(refusal.value)


def test_unknown_address(stripe_sandbox, client):
    answer, body = ask(stripe_sandbox, "GET", "/v1/charges", {"Authorization": "Bearer sk_test_x"})
    assert answer.status == 404
    assert json.loads(body)["error"]["message"].startswith(
        "Unrecognized request URL (GET: /v1/charges)."
    )


def test_answer_carries_request_id_and_version(client):
    headers = client.v1.customers.list().last_response.headers
    assert headers["request-id"].startswith("req_")
    assert headers["stripe-version"] == stripe.api_version


def test_rate_limit_is_a_token_bucket(client, stripe_sandbox):
    stripe_sandbox.limits(rate=5)
    outcomes = []
    for _ in range(9):
        try:
            client.v1.customers.list()
            outcomes.append(200)
        except stripe.RateLimitError as error:
            outcomes.append(error.http_status)
    assert outcomes[:5] == [200] * 5
    assert outcomes[-1] == 429
    time.sleep(0.5)
    assert client.v1.customers.list().data == []
    assert stripe_sandbox.totals()["rate_limited"] == outcomes.count(429)


def test_every_answer_can_take_its_time(client, stripe_sandbox):
    stripe_sandbox.limits(delay_ms=100)
    started = time.monotonic()
    client.v1.customers.list()
    assert time.monotonic() - started > 0.1


def test_clock_moves_forward_only(stripe_sandbox):
    before = stripe_sandbox.now()
    assert stripe_sandbox.advance(86_400) - before in (86_400, 86_401)
    with pytest.raises(SandboxError, match="advance_seconds"):
        stripe_sandbox.advance(-1)
    stripe_sandbox.reset()
    assert stripe_sandbox.now() - before < 60


def test_malformed_body(stripe_sandbox, client):
    parts = urlsplit(stripe_sandbox.address)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    headers = {"Authorization": "Bearer sk_test_x"}
    for body in (b"\xff\xfe=1", b"address=x&address[city]=y", b"address[city][x]=y", b"expand=x"):
        line.request("POST", "/v1/customers", body, headers)
        answer = line.getresponse()
        assert (answer.status, b"invalid_request_error" in answer.read()) == (400, True), body
    line.close()
