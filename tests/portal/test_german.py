"""What customers read is there in German and Russian; signing in as staff at least in German."""

import pytest
from babel.messages.pofile import read_po

from tests.messages import ROOT, in_module, in_template

TEMPLATES = [
    path
    for place in ("templates", "backoffice/customers/templates")
    for path in sorted((ROOT / place).rglob("*"))
    if path.is_file() and not {"admin", "unfold"} & set(path.parts)
]
# Customers have no passwords and no second factors: these pages are staff's.
STAFFS = ("mfa", "password", "reauthenticate", "layouts/manage")
RUSSIAN_TEMPLATES = [
    path for path in TEMPLATES if not any(part in str(path.relative_to(ROOT)) for part in STAFFS)
]
MODULES = [
    ROOT / "backoffice/accounts/adapter.py",
    ROOT / "backoffice/customers/portal.py",
    ROOT / "compensation/claims/filing.py",
    ROOT / "compensation/claims/wording.py",
    *sorted((ROOT / "compensation/views").glob("claim*.py")),
    ROOT / "support/claims.py",
    ROOT / "support/requests.py",
    *sorted((ROOT / "support/views").glob("contact*.py")),
    *sorted((ROOT / "support/views").glob("request*.py")),
    ROOT / "support/views/survey.py",
]


def _translated(language):
    with (ROOT / f"backoffice/locale/{language}/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    found = set()
    for message in catalog:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if all(texts) and not message.fuzzy:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            found.update(ids)
    return found


@pytest.fixture(scope="module")
def german():
    return _translated("de")


@pytest.fixture(scope="module")
def russian():
    return _translated("ru")


def _name(path):
    return str(path.relative_to(ROOT))


def test_there_are_texts_to_look_at():
    assert len(TEMPLATES) > 50
    assert len(RUSSIAN_TEMPLATES) > 30


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_template_is_translated(german, path):
    assert [text for text in in_template(path) if text not in german] == []


@pytest.mark.parametrize("path", RUSSIAN_TEMPLATES, ids=_name)
def test_template_is_translated_into_russian(russian, path):
    assert [text for text in in_template(path) if text not in russian] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_translated(german, russian, path):
    assert [text for text in in_module(path) if text not in german] == []
    assert [text for text in in_module(path) if text not in russian] == []


def test_german_says_sie():
    text = (ROOT / "backoffice/locale/de/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    words = set(text.lower().replace('"', " ").split())
    assert words & {"du", "dein", "deine", "dich", "dir"} == set()
