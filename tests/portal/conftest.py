from tests.accounts.conftest import fresh_limits  # noqa: F401
