"""Which reading of a policy file is meant, where it leaves something unsaid: its examples tell."""

from typing import NamedTuple

from django.core.exceptions import ValidationError

from compensation import examples
from compensation.policy_files import PolicyFile


class Settled(NamedTuple):
    """A policy as it is read at last, how its examples come out, and what is odd about it."""

    policy: PolicyFile
    results: list[examples.Result]
    warnings: list[str]


def settle(policy: PolicyFile) -> Settled:
    """The usual reading; if examples differ under it, the first other one under which none does.

    Raises:
        ValidationError: an example comes to an amount beyond all bounds.
    """
    results = _run(policy)
    if all(result.is_exact for result in results):
        return Settled(policy, results, [])
    for said, other in policy.others:
        others = _run(other)
        if all(result.is_exact for result in others):
            return Settled(other, others, [
                (f"{policy}: it does not say what its examples take for granted: {said}. That is "
                "taken; write it into the file to be sure.")
            ])  # fmt: skip
    return Settled(policy, results, [])


def _run(policy: PolicyFile) -> list[examples.Result]:
    try:
        return examples.run(policy.version, policy.rules, policy.examples)
    except ValidationError as error:
        raise ValidationError([f"{policy}: {message}" for message in error.messages]) from None
