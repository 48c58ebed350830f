"""One object of a policy file, read value by value; what cannot be read is noted with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError

from backoffice.money import LARGEST_AMOUNT_MINOR, to_major, to_minor, validate_currency

LONGEST_SHOWN = 60


@dataclass
class Notes:
    """What is wrong with a policy, what is odd in it, and what it leaves unsaid.

    `unsaid` are the readings that are possible where neither a key nor the prose says which one is
    meant, the usual one first; `chosen` those to take instead.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    unsaid: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def choose(self, name: str, *readings: Any) -> Any:
        """The first of `readings`, unless another one is to be tried."""
        self.unsaid[name] = tuple(dict.fromkeys(readings))
        return self.chosen.get(name, readings[0])


@dataclass
class Record:
    """`data` with the words that say where it stands, such as “AWS S3, tiers[2]”."""

    data: Mapping[str, Any]
    place: str
    notes: Notes
    read: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether there is something but null."""
        return self.data.get(key) is not None

    def value(self, key: str) -> Any:
        self.read.add(key)
        return self.data.get(key)

    def wrong(self, key: str, remedy: str) -> None:
        shown = repr(self.data.get(key))[:LONGEST_SHOWN]
        said = f"{shown}: {remedy}" if key in self.data else remedy
        problem = f"{self.place}: {key}: {said}"
        if problem not in self.notes.problems:
            self.notes.problems.append(problem)

    def number(
        self,
        key: str,
        *,
        places: int,
        digits: int,
        least: Decimal | int = 0,
        most: int | None = None,
    ) -> Decimal | None:
        """A number of at most so many digits, `places` of them decimals; None where none is."""
        value = self.value(key)
        if value is None:
            return None
        number = _decimal(value)
        if number is None:
            self.wrong(key, 'write a number such as 10 or "99.9".')
            return None
        if number < least or (most is not None and number > most):
            upper = "" if most is None else f" and at most {most}"
            self.wrong(key, f"at least {least}{upper} is possible.")
        elif number >= 10 ** (digits - places):
            self.wrong(key, f"less than {10 ** (digits - places):,} is possible.")
        elif number != round(number, places):
            self.wrong(key, f"at most {places} decimals are possible.")
        else:
            return number
        return None

    def whole(self, key: str, *, least: int = 0, most: int = 2**31 - 1) -> int | None:
        value = self.value(key)
        if value is None:
            return None
        number = _decimal(value)
        if number is None or number != int(number) or not least <= number <= most:
            self.wrong(key, f"write a whole number from {least} to {most:,}.")
            return None
        return int(number)

    def minor(self, key: str) -> int | None:
        """An amount in minor units."""
        return self.whole(key, most=10**15)

    def text(self, key: str, *, longest: int = 20_000) -> str:
        value = self.value(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(key, "write a text.")
            return ""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.wrong(key, "there is half a character in it: write it again.")
            return ""
        if "\0" in value or len(value) > longest:
            self.wrong(key, f"at most {longest:,} characters, and no NUL, are possible.")
            return ""
        return value.strip()

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, "write true or false.")
        return value is True

    def choice(self, key: str, words: Mapping[str, str], default: str) -> str:
        """The value that a word stands for; spaces, hyphens and case do not matter."""
        word = self.text(key)
        if not word:
            return default
        found = words.get(word.lower().replace("-", "_").replace(" ", "_"))
        if found is None:
            self.wrong(key, f"write one of {', '.join(sorted(words))}.")
            return default
        return found

    def words(self, key: str, *, longest: int) -> list[str]:
        value = self.value(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(_is_text(one, longest) for one in value):
            self.wrong(key, f"write a list of texts of at most {longest} characters.")
            return []
        return list(value)

    def records(self, key: str) -> list["Record"]:
        value = self.value(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, "write a list of objects.")
            return []
        return [
            Record(one, f"{self.place}, {key}[{n}]", self.notes)
            for n, one in enumerate(value, start=1)
        ]

    def amounts(self, name: str, currency: str) -> dict[str, int]:
        """`name`_amounts ({currency: minor units}), _cents (minor units) or _amount (major)."""
        given = [key for key in (f"{name}_amounts", f"{name}_cents", f"{name}_amount")
                 if self.has(key)]  # fmt: skip
        if len(given) > 1:
            self.wrong(given[1], f"{given[0]} says it already: leave one of them out.")
        if not given:
            return {}
        key = given[0]
        if key.endswith("_cents"):
            minor = self.minor(key)
            return {} if minor is None else {currency: minor}
        if key.endswith("_amount"):
            return self._major(key, currency)
        return self._by_currency(key)

    def _major(self, key: str, currency: str) -> dict[str, int]:
        number = self.number(key, places=3, digits=15)
        if number is None:
            return {}
        minor = to_minor(number, currency)
        if to_major(minor, currency) != number:
            self.wrong(key, f"{currency} has no such small fractions.")
            return {}
        return {currency: minor}

    def _by_currency(self, key: str) -> dict[str, int]:
        value, found = self.value(key), {}
        if not isinstance(value, dict):
            self.wrong(key, 'write amounts by currency, such as {"EUR": 1000} (minor units).')
            return {}
        for code, minor in value.items():
            if self.is_currency(key, code):
                if type(minor) is int and 0 < minor <= LARGEST_AMOUNT_MINOR:
                    found[code] = minor
                else:
                    self.wrong(key, f"{code}: write a whole number of minor units above 0.")
        return found

    def is_currency(self, key: str, code: str) -> bool:
        try:
            validate_currency(code)
        except ValidationError as error:
            self.wrong(key, " ".join(error.messages))
            return False
        return True

    def warn_of_unread(self, harmless: frozenset[str]) -> None:
        """Keys that nobody read may have meant money."""
        for key in self.data:
            if key not in self.read and key not in harmless and self.has(key):
                self.notes.warnings.append(
                    f"{self.place}: {key} says nothing here and was left out: look whether it "
                    "changes what is due."
                )


def _is_text(value: Any, longest: int) -> bool:
    """Not empty, not too long, and nothing that PostgreSQL does not store."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None  # noqa: PLR2004
