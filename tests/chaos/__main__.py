"""`python -m tests.chaos [--seed N] [--awards N] [--kills N] [--quiet]`: one line on stdout.

Exit status 1 unless nothing is lost, nothing is doubled and every unknown is explained.
"""

import argparse
import logging
import os
import sys

import django

DATABASE = "chaos_amends"


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from tests.chaos.storm import Options, run
    from tests.own_database import own_database

    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=Options.seed, help="repeats a run's decisions")
    parser.add_argument("--awards", type=int, default=Options.awards)
    parser.add_argument("--kills", type=int, default=Options.kills, help="workers killed with -9")
    parser.add_argument("--quiet", action="store_true", help="don't tell what breaks, on stderr")
    given = parser.parse_args()
    _tell(quiet=given.quiet)
    with own_database(DATABASE):
        outcome = run(Options(awards=given.awards, kills=given.kills, seed=given.seed))
    for problem in outcome.counted.problems:
        sys.stderr.write(f"{problem}\n")
    sys.stdout.write(f"{outcome.line}\n")
    return 0 if outcome.counted.is_ok else 1


def _tell(*, quiet: bool) -> None:
    logger = logging.getLogger("chaos")
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
