import pytest


@pytest.fixture(autouse=True)
def fresh_limits(settings):
    """Limits on attempts are counted in the cache: every test starts at none."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    from django.core.cache import cache

    cache.clear()
