"""What every test of the desk stands on."""

import pytest


@pytest.fixture(autouse=True)
def attachments_apart(settings, tmp_path):
    """Files of tests lie where pytest takes them away."""
    storage = settings.STORAGES["attachments"] | {"OPTIONS": {"location": tmp_path / "attachments"}}
    settings.STORAGES = settings.STORAGES | {"attachments": storage}
