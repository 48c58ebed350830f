"""Imports that leave a record: previewed and confirmed by a person, or done by the command."""

import io
import zlib
from datetime import date, timedelta
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.importing import MapError, Report, import_customers, read_map
from backoffice.customers.models import CustomerImport
from backoffice.states import MoveError, move

LARGEST_UPLOAD = 64 * 1024 * 1024  # bytes; the command takes larger ones
PREVIEWS_LAST = timedelta(days=1)


def preview_import(
    file: BinaryIO, *, map_text: str, file_name: str, by: User, as_of: date | None = None
) -> CustomerImport:
    """Try an import, take it back, and keep file and report until `confirm_import`.

    Raises:
        MapError: the map is wrong or does not fit the file; nothing is kept.
    """
    if file.seek(0, io.SEEK_END) > LARGEST_UPLOAD:
        limit = LARGEST_UPLOAD // 1024 // 1024
        raise MapError(f"The file is larger than {limit} MiB: use manage.py import_customers.")
    report = import_customers(
        file, how=read_map(map_text), file_name=file_name, as_of=as_of, dry_run=True
    )
    _forget_old_previews()
    file.seek(0)
    return CustomerImport.objects.create(
        file_name=file_name[:255],
        sha256=report.sha256,
        map_text=map_text,
        as_of=as_of,
        content=zlib.compress(file.read()),
        report=report.as_dict(),
        created_by=by,
    )


@transaction.atomic
def confirm_import(record: CustomerImport, *, by: User) -> Report:
    """Import what was previewed, for good.

    Raises:
        MoveError: it was imported or discarded already.
    """
    if record.content is None:
        raise MoveError("This file is no longer kept: upload it again.")
    move(record, CustomerImport.State.IMPORTED, by=by, imported_at=timezone.now())
    report = import_customers(
        io.BytesIO(zlib.decompress(bytes(record.content))),
        how=read_map(record.map_text),
        file_name=record.file_name,
        as_of=record.as_of,
    )
    record.report, record.content = report.as_dict(), None
    record.save(update_fields=["report", "content"])
    return report


def discard_import(record: CustomerImport, *, by: User) -> None:
    """Forget a previewed file.

    Raises:
        MoveError: it was imported or discarded already.
    """
    move(record, CustomerImport.State.DISCARDED, by=by, content=None)


@transaction.atomic
def import_and_record(
    file: BinaryIO,
    *,
    map_text: str,
    file_name: str,
    by: User | None = None,
    as_of: date | None = None,
) -> Report:
    """Import at once, and leave a record of it.

    Raises:
        MapError: the map is wrong or does not fit the file; nothing is written.
    """
    report = import_customers(file, how=read_map(map_text), file_name=file_name, as_of=as_of)
    CustomerImport.objects.create(
        state=CustomerImport.State.IMPORTED,
        file_name=file_name[:255],
        sha256=report.sha256,
        map_text=map_text,
        as_of=as_of,
        report=report.as_dict(),
        created_by=by,
        imported_at=timezone.now(),
    )
    return report


def _forget_old_previews() -> None:
    CustomerImport.objects.filter(
        state=CustomerImport.State.PREVIEWED, created_at__lt=timezone.now() - PREVIEWS_LAST
    ).update(state=CustomerImport.State.DISCARDED, content=None)
