"""What a version of a policy would have cost over the incidents of the past; awards nothing."""

from compensation.backtesting.runs import (
    PERMISSION,
    ask_backtest,
    cancel_backtest,
    in_force,
    is_stale,
    last_twelve_months,
    run_backtest,
    run_next_backtest,
)

__all__ = [
    "PERMISSION",
    "ask_backtest",
    "cancel_backtest",
    "in_force",
    "is_stale",
    "last_twelve_months",
    "run_backtest",
    "run_next_backtest",
]
