"""The map's sources bound to the columns of one file."""

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

from backoffice.customers.importing.map import MapError, Source

Text = Callable[[Sequence[str], str], str]
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Binding:
    """Finds columns by name; collects those that the file lacks, to tell them all at once."""

    def __init__(self, header: Sequence[str]) -> None:
        self._columns = {name: at for at, name in enumerate(header)}
        self._missing: set[str] = set()

    def text(self, source: Source) -> Text:
        """What gives the text of a field, from a record's cells and the customer's reference."""
        raw = self._origin(source)
        names, other, default = source.values, source.other, source.default
        if names is None and not default:
            return raw

        def translated(cells: Sequence[str], reference: str) -> str:
            cell = raw(cells, reference)
            if names is not None and (cell or "" in names):
                cell = names.get(cell, other if other is not None else cell)
            return cell or default

        return translated

    def _origin(self, source: Source) -> Text:
        if source.constant is not None:
            constant = source.constant
            return lambda _cells, _reference: constant
        if source.column is not None:
            at = self.index(source.column)
            return lambda cells, _reference: cells[at]
        # An odd index is a placeholder: {reference}, or the name of a column.
        parts: list[Any] = _PLACEHOLDER.split(source.template or "")
        parts[1::2] = [None if name == "reference" else self.index(name) for name in parts[1::2]]

        def filled(cells: Sequence[str], reference: str) -> str:
            return "".join(
                part if not at % 2 else reference if part is None else cells[part]
                for at, part in enumerate(parts)
            )

        return filled

    def index(self, column: str) -> int:
        """Where the column stands; one that is missing is remembered for `check`."""
        if column not in self._columns:
            self._missing.add(column)
        return self._columns.get(column, 0)

    def check(self) -> None:
        """Raise MapError if a column that was asked for is missing."""
        if not self._missing:
            return
        sentences = []
        for column in sorted(self._missing):
            near = difflib.get_close_matches(column, self._columns, n=1)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            sentences.append(f"The file has no column “{column}”.{hint}")
        raise MapError("\n".join([*sentences, f"Its columns are: {', '.join(self._columns)}."]))
