"""Pages for people: what the sandbox holds."""

from backoffice.stripe_sandbox.pages.routes import routes

__all__ = ["routes"]
