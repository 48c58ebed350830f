"""Telling the workers that there is something to compare."""

from celery import current_app


def wake_reconciling() -> None:
    """Ask a worker to go on now rather than at the next beat. The rows are the queue of record."""
    current_app.send_task("compensation.tasks.reconcile", retry=False)
