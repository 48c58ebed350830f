"""Whom an incident hit: cohorts, their members, and each one's affected seconds."""

from incidents.cohorts.listing import BadLine, CustomerList, ListFileError, read_list
from incidents.cohorts.membership import (
    MemberError,
    MemberRow,
    Problem,
    add_cohort,
    match_members,
    push_members,
    remove_cohort,
)
from incidents.cohorts.resolution import Resolution, resolve

__all__ = [
    "BadLine",
    "CustomerList",
    "ListFileError",
    "MemberError",
    "MemberRow",
    "Problem",
    "Resolution",
    "add_cohort",
    "match_members",
    "push_members",
    "read_list",
    "remove_cohort",
    "resolve",
]
