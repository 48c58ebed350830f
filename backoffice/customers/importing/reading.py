"""A CSV file as numbered records, however it was written; what cannot be read is a bad line."""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from backoffice.customers.importing.map import FileMap, MapError
from backoffice.customers.importing.report import BadLine

LARGEST_FILE = 256 * 1024 * 1024  # bytes
MOST_LINES_PER_RECORD = 50  # a quoted cell may hold line breaks, but not half a file
LONGEST_LINE = 1_000_000  # characters
DELIMITERS = ",;\t|"
CHUNK = 1024 * 1024


class _RecordTooLongError(Exception):
    """A quotation mark was opened and is not closed for many lines."""


@dataclass
class Table:
    """An opened file: its header, and what was found out about it."""

    header: list[str]
    sha256: str
    notices: list[str]
    _lines: "_Lines"
    _delimiter: str
    bad: list[BadLine] = field(default_factory=list)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells (blanks around them cut) of each record as long as the header.

        What is no such record is added to `bad`. After a record that cannot be read, reading
        goes on with the next line, so that a stray quotation mark costs one line only.
        """
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            number = self._lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _RecordTooLongError) as error:
                self._reject(number, str(error))
                continue
            if not cells or not any(cells):
                continue
            if len(cells) != len(self.header):
                self._reject(
                    number, f"has {len(cells)} fields, but the header has {len(self.header)}"
                )
                continue
            yield number, [cell.strip() for cell in cells]

    def close(self) -> None:
        """Let go of the file without closing it: it is the caller's."""
        self._lines.detach()

    def _reject(self, number: int, reason: str) -> None:
        first = self._lines.give_back_all_but_first()
        self.bad.append(
            BadLine(
                line=number,
                field="",
                value=first[:200].rstrip("\r\n"),
                reason=f"The line cannot be read: {reason}.",
                remedy="Put quotation marks around cells with the delimiter or line breaks, and "
                "double those inside.",
            )
        )


class _Lines:
    """Physical lines with their number, which can be given back to be read again."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._number = 0
        self._record: list[str] = []
        self._returned: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._record) >= MOST_LINES_PER_RECORD:
            raise _RecordTooLongError("a quotation mark is opened and not closed")
        line = self._returned.pop() if self._returned else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self._number += 1
        self._record.append(line)
        return line

    def detach(self) -> None:
        self._text.detach()

    def begin(self) -> int:
        """A new record begins; the number of its first line, from 1."""
        self._record = []
        return self._number + 1

    def give_back_all_but_first(self) -> str:
        """Everything of this record but its first line will be read again; that first line."""
        first, *rest = self._record
        self._returned.extend(reversed(rest))
        self._number -= len(rest)
        return first


def open_table(file: BinaryIO, how: FileMap, columns: set[str]) -> Table:
    """Open a seekable binary `file` that should have `columns`.

    Raises:
        MapError: it is empty, too large, in an encoding we do not read, or lacks columns.
    """
    notices: list[str] = []
    encoding, sha256 = _examine(file, how.encoding, notices)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    lines = _Lines(text)
    lines.begin()
    first = next(lines, "")
    if not first.strip():
        raise MapError("The file is empty: its first line must be the header.")
    delimiter = how.delimiter or _delimiter(first, columns)
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
    doubled = sorted(name for name in columns if header.count(name) > 1)
    if doubled:
        raise MapError(f"The header has these columns twice: {', '.join(doubled)}.")
    return Table(header, sha256, notices, lines, delimiter)


def _examine(file: BinaryIO, encoding: str | None, notices: list[str]) -> tuple[str, str]:
    """The file's encoding, and its SHA-256; one pass over all of it."""
    file.seek(0)
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    size = 0
    while chunk := file.read(CHUNK):
        if not size and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise MapError("The file is in UTF-16: save it as “CSV UTF-8”.")
        digest.update(chunk)
        size += len(chunk)
        if size > LARGEST_FILE:
            limit = LARGEST_FILE // 1024 // 1024
            raise MapError(f"The file is larger than {limit} MiB: split it.")
        if is_utf8:
            is_utf8 = _decodes(decoder, chunk)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    if encoding in {None, "utf-8"} and is_utf8:
        return "utf-8-sig", digest.hexdigest()
    if encoding == "utf-8":
        raise MapError("The map says UTF-8, but the file is not: take “encoding” out of the map.")
    if encoding is None:
        notices.append("The file is not UTF-8 and was read as Latin-1: check the names' letters.")
    return encoding or "latin-1", digest.hexdigest()


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(line: str, columns: set[str]) -> str:
    """The one under which most of the wanted columns are found, then the one that occurs most."""

    def fit(delimiter: str) -> tuple[int, int]:
        header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
        return len(columns & set(header)), len(header)

    return max(DELIMITERS, key=fit)
