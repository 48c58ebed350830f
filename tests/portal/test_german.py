"""Whatever customers read, and whoever signs in reads, is there in German."""

import pytest
from babel.messages.pofile import read_po

from tests.messages import ROOT, in_module, in_template

TEMPLATES = [
    path
    for place in ("templates", "backoffice/customers/templates")
    for path in sorted((ROOT / place).rglob("*"))
    if path.is_file() and not {"admin", "unfold"} & set(path.parts)
]
MODULES = [ROOT / "backoffice/accounts/adapter.py", ROOT / "backoffice/customers/portal.py"]


@pytest.fixture(scope="module")
def translated():
    with (ROOT / "backoffice/locale/de/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="de")
    found = set()
    for message in catalog:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if all(texts) and not message.fuzzy:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            found.update(ids)
    return found


def test_there_are_texts_to_look_at():
    assert len(TEMPLATES) > 50


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_template_is_translated(translated, path):
    assert [text for text in in_template(path) if text not in translated] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_is_translated(translated, path):
    assert [text for text in in_module(path) if text not in translated] == []


def test_german_says_sie(translated):
    text = (ROOT / "backoffice/locale/de/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    words = set(text.lower().replace('"', " ").split())
    assert words & {"du", "dein", "deine", "dich", "dir"} == set()
