"""Telling the workers that there is something to issue."""

from celery import current_app


def wake_issuing() -> None:
    """Ask a worker to issue now rather than at the next beat. The rows are the queue of record."""
    current_app.send_task("compensation.tasks.issue_awards", retry=False)
