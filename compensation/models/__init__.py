"""What we owe, who approved it, and what became of it."""

from compensation.models.award import Award
from compensation.models.batch import Approval, Batch, BatchLook
from compensation.models.ledger import LedgerEntry
from compensation.models.policy import Policy, PolicyVersion, Rule
from compensation.models.reconciliation import Finding, ReconciliationRun
from compensation.models.switches import ApprovalThreshold, IssuingControl

__all__ = [
    "Approval",
    "ApprovalThreshold",
    "Award",
    "Batch",
    "BatchLook",
    "Finding",
    "IssuingControl",
    "LedgerEntry",
    "Policy",
    "PolicyVersion",
    "ReconciliationRun",
    "Rule",
]
