"""The forms of a draft's page, together."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from compensation.forms import (
    BaseExamples,
    BaseRules,
    ExampleFormSet,
    RuleFormSet,
    VersionForm,
)
from compensation.models import PolicyExample, PolicyVersion, Rule


@dataclass(frozen=True)
class Editor:
    """The forms of one page: the terms, the rows and the examples."""

    form: VersionForm
    rules: BaseRules
    examples: BaseExamples

    @classmethod
    def of(cls, version: PolicyVersion, data: QueryDict | None = None) -> "Editor":
        return cls(
            form=VersionForm(data, instance=version),
            rules=RuleFormSet(data, instance=version, prefix="rules"),
            examples=ExampleFormSet(data, instance=version, prefix="examples"),
        )

    def is_valid(self) -> bool:
        """All three are asked, so that every error is told at once."""
        return all([self.form.is_valid(), self.rules.is_valid(), self.examples.is_valid()])

    def save(self) -> tuple[int, int]:
        """How many rows and examples there are now. Call it inside a transaction."""
        self.form.save()
        return len(self.rules.save()), len(self.examples.save())

    def told_errors(self) -> list[str]:
        """Every error with its place, from top to bottom."""
        said = []
        for name, errors in self.form.errors.items():
            label = "" if name == "__all__" else f"{self.form[name].label}: "
            said += [f"{label[:1].upper()}{label[1:]}{error}" for error in errors]
        return self.rules.told_errors() + said + self.examples.told_errors()

    def as_typed(self) -> tuple[list[Rule], list[PolicyExample], list[Any]]:
        """The rows and examples as typed in valid forms, and the examples' forms."""
        rules = [form.instance for form in self.rules.in_order()]
        forms = self.examples.in_order()
        for position, rule in enumerate(rules, start=1):
            rule.version, rule.position = self.form.instance, position
        for position, form in enumerate(forms, start=1):
            form.instance.version, form.instance.position = self.form.instance, position
        return rules, [form.instance for form in forms], forms
