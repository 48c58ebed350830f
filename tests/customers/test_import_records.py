"""Imports that leave a record, and the command."""

import io
import json
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command

from backoffice.customers.importing import MapError
from backoffice.customers.importing.records import (
    confirm_import,
    discard_import,
    preview_import,
)
from backoffice.customers.models import Customer, CustomerImport
from backoffice.states import MoveError
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db

HOW = '[customer]\nreference = "id"\nname = "name"\n'
RAW = b"id,name\n1,Ada\n2,Bob\n2,Bob\n"


@pytest.fixture
def person():
    return UserFactory(is_staff=True)


def preview(person, raw=RAW, how=HOW):
    return preview_import(io.BytesIO(raw), map_text=how, file_name="c.csv", by=person)


def test_preview_writes_no_customer_and_keeps_the_file(person):
    record = preview(person)
    assert (record.state, record.created_by, record.file_name) == ("previewed", person, "c.csv")
    assert record.report["customers"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert record.report["bad_lines"][0]["line"] == 4
    assert not Customer.objects.exists()


def test_confirm_imports_once(person):
    record = preview(person)
    again = CustomerImport.objects.get(pk=record.pk)
    assert confirm_import(record, by=person).customers.created == 2
    assert Customer.objects.count() == 2
    record.refresh_from_db()
    assert (record.state, record.content) == ("imported", None)
    assert record.imported_at is not None
    with pytest.raises(MoveError):
        confirm_import(again, by=person)
    with pytest.raises(MoveError):
        confirm_import(record, by=person)


def test_discarded_file_is_forgotten(person):
    record = preview(person)
    discard_import(record, by=person)
    record.refresh_from_db()
    assert (record.state, record.content) == ("discarded", None)
    with pytest.raises(MoveError):
        confirm_import(record, by=person)


def test_preview_of_yesterday_is_forgotten(person):
    with time_machine.travel("2026-11-19T12:00:00Z"):
        old = preview(person)
    with time_machine.travel("2026-11-21T12:00:00Z"):
        preview(person)
    old.refresh_from_db()
    assert (old.state, old.content) == ("discarded", None)


def test_preview_with_a_wrong_map_keeps_nothing(person):
    with pytest.raises(MapError):
        preview(person, how="[customer]")
    assert not CustomerImport.objects.exists()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "c.csv").write_bytes(RAW)
    (tmp_path / "map.toml").write_text(HOW)
    return [str(tmp_path / "c.csv"), "--map", str(tmp_path / "map.toml")]


def test_command_imports_and_leaves_a_record(files, capsys):
    call_command("import_customers", *files)
    told = capsys.readouterr()
    assert "customers: 2 created, 0 updated, 0 unchanged" in told.out
    assert "3 lines, 1 bad" in told.out
    assert "line 4: reference “2” is a customer that stands on line 3 already." in told.err
    record = CustomerImport.objects.get()
    assert (record.state, record.created_by, record.content) == ("imported", None, None)


def test_command_dry_run_leaves_nothing(files, capsys):
    call_command("import_customers", *files, "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["dry_run"], report["customers"]["created"]) == (True, 2)
    assert not Customer.objects.exists()
    assert not CustomerImport.objects.exists()


def test_command_says_what_is_wrong_with_its_files(files, tmp_path):
    with pytest.raises(CommandError, match="Cannot be read"):
        call_command("import_customers", str(tmp_path / "none.csv"), *files[1:])
    Path(files[2]).write_text("[customer]\nreference = 'nr'")
    with pytest.raises(CommandError, match="no column “nr”"):
        call_command("import_customers", *files)


def test_documented_maps_are_maps():
    from backoffice.customers.importing import read_map

    maps = sorted((Path(settings.BASE_DIR) / "docs" / "maps").glob("*.toml"))
    assert [path.name for path in maps] == ["simple.toml", "telco_customers.toml"]
    for path in maps:
        read_map(path.read_text())
