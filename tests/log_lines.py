"""What a production's log would hold: every logger's lines, as JSON."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from backoffice import logs


class Lines:
    """The lines so far, as text and as objects."""

    def __init__(self) -> None:
        self.out = StringIO()

    @property
    def text(self) -> str:
        return self.out.getvalue()

    def all(self, event: str = "") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if not event or line["event"] == event]


@contextmanager
def captured(level: int = logging.DEBUG) -> Iterator[Lines]:
    """Everything that is logged meanwhile, from `level` on: more than production writes."""
    lines = Lines()
    handler = logging.StreamHandler(lines.out)
    handler.setFormatter(logs.formatter(is_json=True))
    handler.addFilter(logs.RowsByNumber())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    # Its lines show the parameters of every statement; in production only DEBUG=true makes them.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
