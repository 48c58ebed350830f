"""Numbers that people say to each other: INC-2026-014, 2026-031."""

from django.db import connection, models
from django.utils import timezone


def next_number(model: type[models.Model], prefix: str = "") -> str:
    """The next free `number` of `model` in this year (UTC), as PREFIXyyyy-nnn.

    Holds a lock until the transaction ends, so call it inside the one that saves the row.
    """
    return next_numbers(model, prefix, year=timezone.now().year, count=1)[0]


def next_numbers(
    model: type[models.Model], prefix: str = "", *, year: int, count: int
) -> list[str]:
    """The next `count` free numbers of `year`; otherwise as `next_number`."""
    start = f"{prefix}{year}-"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [model._meta.label + start])
    numbers = model._default_manager.filter(number__startswith=start).values_list(
        "number", flat=True
    )
    last = max((int(number.removeprefix(start)) for number in numbers), default=0)
    return [f"{start}{number:03}" for number in range(last + 1, last + 1 + count)]
