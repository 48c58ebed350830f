"""A small stateful Stripe that stripe-python talks to over HTTP, in a process of its own.

For the demo, the tests and the benchmarks. It plays a foreign company, so it imports nothing of the
rest of the project and keeps its own state (docs/decisions/0002-sandbox-keeps-its-own-state.md).
No real money is ever involved. Start it with ``python -m backoffice.stripe_sandbox --help``.
"""
