"""Translations: compiles the .po catalogues that changed, with Babel, as bare machines lack msgfmt.

`python -m backoffice.catalogs`; what it writes is not kept in the repository.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]


class CatalogError(ValueError):
    """A translation cannot stand for its original, such as one with another placeholder."""


def compile_catalogs(root: Path = ROOT) -> list[Path]:
    """Compile each catalogue that is newer than its compiled form; returns those compiled.

    Fuzzy translations are left out, as gettext does. Raises CatalogError, naming file and line.
    """
    compiled = []
    for source in _catalogs(root):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            _compile(source, target)
            compiled.append(target)
    return compiled


def _catalogs(root: Path) -> Iterator[Path]:
    for pattern in ("locale", "*/locale", "*/*/locale"):
        for directory in sorted(root.glob(pattern)):
            if not directory.relative_to(root).parts[0].startswith("."):
                yield from sorted(directory.glob("*/LC_MESSAGES/*.po"))


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalog = read_po(file, locale=source.parts[-3])
    for message, errors in catalog.check():
        raise CatalogError(f"{source}:{message.lineno}: {errors[0]}")
    part = target.with_suffix(f".{os.getpid()}")
    with part.open("wb") as file:
        write_mo(file, catalog)
    part.replace(target)


if __name__ == "__main__":
    try:
        compile_catalogs()
    except CatalogError as error:
        sys.exit(str(error))
