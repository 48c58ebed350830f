"""The sum behind an award, in words its customer can follow, and as data.

Only what was frozen is read: the award's own fields and its policy version, which cannot change.
All read the version's rows: prefetch `batch__version__rules` where many awards are explained.
"""

from compensation.explanations.data import explain_data
from compensation.explanations.sentence import explain
from compensation.explanations.steps import explain_steps

__all__ = ["explain", "explain_data", "explain_steps"]
