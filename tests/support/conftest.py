"""What every test of the desk stands on."""

import pytest
from celery import Task

from support import receivers
from support.models import Attachment


@pytest.fixture(autouse=True)
def attachments_apart(monkeypatch, tmp_path):
    """Files of tests lie where pytest takes them away."""
    # The field made its storage when it was imported, so a setting would come too late.
    storage = Attachment._meta.get_field("file").storage
    monkeypatch.setitem(vars(storage), "location", str(tmp_path / "attachments"))


@pytest.fixture(autouse=True)
def nobody_woken(monkeypatch):
    """Workers of other processes stay out of it: a test calls the verbs itself."""
    for name, found in list(vars(receivers).items()):
        if isinstance(found, Task):
            monkeypatch.setattr(receivers, name, Asleep)


class Asleep:
    """A task that nobody does."""

    @staticmethod
    def delay(*args):
        pass

    @staticmethod
    def apply_async(*args, **options):
        pass
