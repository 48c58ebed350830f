"""A table that a person fills in: rows in an order of their own, numbered anew when saved."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class OrderedForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row; `order` is where it stands among the others."""

    order = forms.IntegerField(min_value=1, widget=forms.NumberInput(attrs={"min": 1}))

    def has_changed(self) -> bool:
        """A new row of which only the order was filled in was never meant."""
        return any(name != "order" for name in self.changed_data)

    # Behind "more" in the table.
    FOLDED: ClassVar[tuple[str, ...]] = ()

    @property
    def has_folded_errors(self) -> bool:
        return any(self.errors.get(name) for name in self.FOLDED)

    @property
    def folded_said(self) -> list[Any]:
        """What was found at fields that cannot be seen while they are folded."""
        return [said for name in self.FOLDED for said in getattr(self[name], "said", [])]

    def mark(self, field: str, said: Any) -> None:
        """Show `said` beside the field, or beside the row where there is no such field."""
        if field not in self.fields:
            field = "order"
        bound: Any = self[field]
        bound.said = [*getattr(bound, "said", []), said]


class OrderedForms(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The rows of one table of a version, in order."""

    # How an error calls one of them, and how many there may be.
    told_as: ClassVar[Any] = gettext_lazy("Row {row}{field}: {error}")

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.instance.version = self.instance
        position = form.instance.position if form.instance.pk else self.initial_form_count() + 1
        form.fields["order"].initial = position

    def told_errors(self) -> list[str]:
        """Each error with its row and field."""
        said = [str(error) for error in self.non_form_errors()]
        for row, form in enumerate(self.forms, start=1):
            for name, errors in form.errors.items():
                field = "" if name == "__all__" else f", {self.heading(name)}"
                said += [
                    str(self.told_as).format(row=row, field=field, error=error) for error in errors
                ]
        return said

    def heading(self, name: str) -> str:
        return name

    def in_order(self) -> list[Any]:
        """The rows that stay, as the person ordered them."""
        kept = [
            form
            for form in self.forms
            if not (
                form in self.deleted_forms or (form.instance.pk is None and not form.has_changed())
            )
        ]
        return sorted(kept, key=lambda form: form.cleaned_data.get("order") or len(self.forms))

    def save(self, commit: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - Django's signature
        """All rows, numbered from 1 as they are ordered. Call it inside a transaction."""
        self.deleted_objects = [form.instance for form in self.deleted_forms if form.instance.pk]
        for one in self.deleted_objects:
            one.delete()
        saved = []
        for position, form in enumerate(self.in_order(), start=1):
            one = form.save(commit=False)
            one.version, one.position = self.instance, position
            one.save()
            saved.append(one)
        return saved

    def mark(self, position: int, field: str, said: Any) -> None:
        """Show `said` at the saved row `position`."""
        form: Any
        for form in self.forms:
            if form.instance.pk and form.instance.position == position:
                form.mark(field, said)


def heading(model: Any, name: str) -> str:
    """The heading of the field `name`, as errors call it."""
    if name == "__all__":
        return _("the row")
    if name == "order":
        return _("order")
    return str(getattr(model._meta.get_field(name), "verbose_name", name))
