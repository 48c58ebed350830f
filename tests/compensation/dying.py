"""`python -m tests.compensation.dying POINT`: an issuer that ends itself by SIGKILL right there.

Not a mock of a crash: nothing is rolled back, flushed or closed by anybody but the kernel.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

BEFORE_CLAIM = "before the claim's commit"
AFTER_CLAIM = "after the claim's commit"
BEFORE_OURS = "before our commit"
AFTER_OURS = "after our commit"


def main(point: str) -> None:
    django.setup()
    from compensation.issuing import claiming, hands, issue, writing

    # answers are written together, so that all that came back is at stake at once
    hands.GATHER_SECONDS = 1.0
    if point == BEFORE_CLAIM:
        _die_after(claiming, "_mark_sending")
    elif point == AFTER_CLAIM:
        _die_after(claiming, "claim")
    elif point == BEFORE_OURS:
        _die_after(writing, "record_entries")
    elif point == AFTER_OURS:
        _die_after(writing, "write_issued")
    issue()


def _die_after(module: Any, name: str) -> None:
    """The power fails when the function has done its work, before anything follows."""
    verb: Callable[..., Any] = getattr(module, name)

    def last(*given: Any, **named: Any) -> Any:
        result = verb(*given, **named)
        if result or (result is None and given[0]):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, last)


if __name__ == "__main__":
    main(sys.argv[1])
