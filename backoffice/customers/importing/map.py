"""The map: which column of a file is which field of ours. TOML, see docs/importing.md."""

import tomllib
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator


class MapError(Exception):
    """The map cannot be used, or does not fit the file. The message says where and what to do."""


class Strict(BaseModel):
    """Unknown keys are mistakes, not wishes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
    """Where a field's text comes from: a column, a constant, or a template such as "{id}@x.com".

    `values` translates cells, `other` stands for cells that `values` does not name, `default` for
    empty ones. In TOML a bare string is the name of a column.
    """

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    values: dict[str, str] | None = None
    other: str | None = None
    default: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_string_is_a_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("constant", "default", "other", mode="before")
    @classmethod
    def _numbers_are_texts_too(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _exactly_one_origin(self) -> "Source":
        if sum(value is not None for value in (self.column, self.constant, self.template)) != 1:
            raise ValueError("give exactly one of column, constant and template")
        if self.other is not None and self.values is None:
            raise ValueError("“other” needs “values” beside it")
        return self


class FeeSource(Source):
    """An amount, in major units (29.85) unless `unit` says "minor" (2985)."""

    unit: Literal["major", "minor"] = "major"
    decimal: Literal[".", ","] = "."


class MomentSource(Source):
    """A date or a time: ISO 8601, or as `format` says (Python's strptime).

    With `months_before_reference`, the cell is a whole number of months before the map's
    reference date instead.
    """

    format: str | None = None
    months_before_reference: bool = False


class CustomerMap(Strict):
    """Fields of the customer. `reference` is the only one a file must have."""

    reference: Source
    name: Source | None = None
    email: Source | None = None
    language: Source | None = None
    country: Source | None = None
    segment: Source | None = None
    time_zone: Source | None = None
    stripe_customer_id: Source | None = None


class SubscriptionMap(Strict):
    """Fields of the subscription that stands on the same line.

    `canceled_at` is the end of cancelled ones without an end of their own: a date, or "reference"
    for the reference date.
    """

    reference: Source = Source(template="{reference}")
    plan: Source
    fee: FeeSource
    currency: Source
    interval: Source = Source(constant="month")
    status: Source = Source(constant="active")
    region: Source | None = None
    started_at: MomentSource
    ended_at: MomentSource | None = None
    canceled_at: date | Literal["reference"] | None = None
    trial_end: MomentSource | None = None
    period_start: MomentSource | None = None
    period_end: MomentSource | None = None
    stripe_subscription_id: Source | None = None

    @model_validator(mode="after")
    def _a_period_has_two_ends(self) -> "SubscriptionMap":
        if (self.period_start is None) != (self.period_end is None):
            raise ValueError("give both period_start and period_end, or neither")
        return self


class FlagComponents(Strict):
    """Columns that say whether the component named like the column is used."""

    kind: Literal["flag"]
    columns: list[str] | dict[str, str]
    value: str = "Yes"
    group: str = ""

    def named(self) -> dict[str, str]:
        """The component's name by column."""
        if isinstance(self.columns, dict):
            return self.columns
        return {column: column for column in self.columns}


class ValueComponents(Strict):
    """A column whose value names the component; values that `names` lacks name none."""

    kind: Literal["value"]
    column: str
    names: list[str] | dict[str, str]
    group: str = ""

    def named(self) -> dict[str, str]:
        """The component's name by the cell's value."""
        return self.names if isinstance(self.names, dict) else {name: name for name in self.names}


class ListComponents(Strict):
    """A column that lists the components' names, such as "fibre;phone"."""

    kind: Literal["list"]
    column: str
    separator: str = Field(default=";", min_length=1)
    group: str = ""


Components = Annotated[
    FlagComponents | ValueComponents | ListComponents, Field(discriminator="kind")
]


class FileMap(Strict):
    """How the file is written; what is left out is found out."""

    encoding: Literal["utf-8", "latin-1", "cp1252"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None


class DateMap(Strict):
    """`reference`: the day the file speaks of, from 0:00 UTC. Default: the day of the import."""

    reference: date | None = None
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"“{value}” is no time zone: use a name such as Europe/Berlin")
        return value


class ImportMap(Strict):
    """A whole map. Without `subscription`, the file holds customers only."""

    file: FileMap = FileMap()
    dates: DateMap = DateMap()
    customer: CustomerMap
    subscription: SubscriptionMap | None = None
    components: list[Components] = []

    @model_validator(mode="after")
    def _components_hang_on_subscriptions(self) -> "ImportMap":
        if self.components and self.subscription is None:
            raise ValueError("components are used by subscriptions: add [subscription]")
        return self


def read_map(text: str) -> ImportMap:
    """The map that `text` (TOML) holds.

    Raises:
        MapError: with every mistake, each with its place.
    """
    try:
        return ImportMap.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"The map is no TOML: {error}.") from None
    except ValidationError as error:
        raise MapError("\n".join(_sentence(one) for one in error.errors())) from None


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the map"
    words = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        words = "there is no such key: see docs/importing.md for the list"
    elif error["type"] == "missing":
        words = "is missing"
    return f"{place}: {words}."
