"""From exposures to awards: what each customer is owed under a policy version."""

from compensation.pricing.expected import expected
from compensation.pricing.liability import Liability, liability
from compensation.pricing.writing import Priced, count, price

__all__ = ["Liability", "Priced", "count", "expected", "liability", "price"]
