"""What we owe, who approved it, and what became of it."""

from compensation.models.award import Award
from compensation.models.backtest import Backtest
from compensation.models.balance import BalanceReading
from compensation.models.batch import Approval, Batch, BatchLook
from compensation.models.calls import CallCount
from compensation.models.claim import Claim
from compensation.models.ledger import LedgerEntry
from compensation.models.policy import Policy, PolicyVersion
from compensation.models.reconciliation import Finding, ReconciliationRun
from compensation.models.reversal import Reversal, ReversalApproval, ReversalRequest
from compensation.models.rule import PolicyExample, Rule
from compensation.models.switches import ApprovalThreshold, Budget, IssuingControl

__all__ = [
    "Approval",
    "ApprovalThreshold",
    "Award",
    "Backtest",
    "BalanceReading",
    "Batch",
    "BatchLook",
    "Budget",
    "CallCount",
    "Claim",
    "Finding",
    "IssuingControl",
    "LedgerEntry",
    "Policy",
    "PolicyExample",
    "PolicyVersion",
    "ReconciliationRun",
    "Reversal",
    "ReversalApproval",
    "ReversalRequest",
    "Rule",
]
