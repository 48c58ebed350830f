"""Attachments of tests lie in a folder of the test's own."""

import pytest
from django.core.files.storage import FileSystemStorage

from support.models import Attachment


@pytest.fixture
def attachments_folder(monkeypatch, tmp_path):
    folder = tmp_path / "attachments"
    storage = FileSystemStorage(location=folder)
    monkeypatch.setattr(Attachment._meta.get_field("file"), "storage", storage)
    return folder
