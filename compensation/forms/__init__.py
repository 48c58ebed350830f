"""A policy as finance writes it: the terms around the table, its rows and its examples."""

from compensation.forms.examples import BaseExamples, ExampleFormSet
from compensation.forms.rules import BaseRules, RuleFormSet, column, known_values
from compensation.forms.terms import VersionForm

__all__ = [
    "BaseExamples",
    "BaseRules",
    "ExampleFormSet",
    "RuleFormSet",
    "VersionForm",
    "column",
    "known_values",
]
