"""Telling the workers that there is a backtest to run."""

from celery import current_app


def wake_backtesting() -> None:
    """Ask a worker to begin now rather than at the next beat. The rows are the queue of record."""
    current_app.send_task("compensation.tasks.run_backtests", retry=False)
