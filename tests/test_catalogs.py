import gettext
import os
from pathlib import Path

import pytest

from backoffice.catalogs import CatalogError, compile_catalogs

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def write_catalog(root: Path, text: str) -> Path:
    source = root / "backoffice" / "locale" / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(HEADER + text, encoding="utf-8")
    return source


def test_a_catalog_is_compiled_once_and_again_when_it_changed(tmp_path):
    source = write_catalog(tmp_path, 'msgid "credit"\nmsgstr "Gutschrift"\n')

    target = source.with_suffix(".mo")
    assert compile_catalogs(tmp_path) == [target]
    assert compile_catalogs(tmp_path) == []
    with target.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("credit") == "Gutschrift"

    os.utime(target, (1, 1))
    assert compile_catalogs(tmp_path) == [target]


def test_what_lies_in_a_hidden_directory_is_left_alone(tmp_path):
    write_catalog(tmp_path / ".venv", 'msgid "credit"\nmsgstr "Gutschrift"\n')

    assert compile_catalogs(tmp_path) == []


def test_a_translation_with_another_placeholder_is_refused(tmp_path):
    source = write_catalog(
        tmp_path, '#, python-format\nmsgid "%(count)s credits"\nmsgstr "%(zahl)s Gutschriften"\n'
    )

    with pytest.raises(CatalogError, match=f"{source}:5: unknown named placeholder"):
        compile_catalogs(tmp_path)
    assert not source.with_suffix(".mo").exists()
