"""One thing that lint says about a policy version."""

from dataclasses import dataclass
from enum import StrEnum

from compensation.coverage import Hole


class Code(StrEnum):
    """What is found; the words may change, these do not. Errors block activation."""

    NO_ROWS = "no_rows"
    GIVES_NOTHING = "gives_nothing"
    NO_VALUE = "no_value"
    ZERO_VALUE = "zero_value"
    NO_STEP = "no_step"
    TWO_ALLOWANCES = "two_allowances"
    BAD_AMOUNTS = "bad_amounts"
    BAD_UPTIME = "bad_uptime"
    EMPTY_BOUNDS = "empty_bounds"
    EMPTY_TENURE = "empty_tenure"
    BAD_CONDITION = "bad_condition"
    UNKNOWN_STATUS = "unknown_status"
    CONTRACT_HOLDS_OUT = "contract_holds_out"
    MINIMUM_ABOVE_CAP = "minimum_above_cap"
    EXAMPLE_DIFFERS = "example_differs"
    EXAMPLE_NOT_FLAGGED = "example_not_flagged"
    EXAMPLE_TOO_LARGE = "example_too_large"
    # warnings
    HOLE = "hole"
    OVERLAP = "overlap"
    UNREACHABLE = "unreachable"
    UNKNOWN_VALUE = "unknown_value"
    MISSING_CURRENCY = "missing_currency"
    ABOVE_CAP = "above_cap"
    ROUNDING_UNSAID = "rounding_unsaid"
    TOO_FINE_BOUND = "too_fine_bound"
    BELOW_SHORTEST = "below_shortest"
    NO_EXAMPLES = "no_examples"


@dataclass(frozen=True)
class Finding:
    """One thing in one row (or in the version, without `position`). An error blocks activation.

    `field` is the model's; `example` is the position of the example that it is about, `hole` what
    nothing is due for.
    """

    message: str
    is_error: bool = True
    position: int | None = None
    field: str = ""
    code: str = ""
    example: int | None = None
    hole: Hole | None = None

    def __str__(self) -> str:
        place = f"Row {self.position}: " if self.position else ""
        if self.example:
            place = f"Example {self.example}: "
        return f"{place}{self.message}"
