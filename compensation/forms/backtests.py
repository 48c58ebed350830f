"""What a backtest is asked for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compensation.models import PolicyVersion

_DATE = {"type": "date", "class": "am-field"}


class BacktestForm(forms.Form):
    """The days (UTC) and the version to stand beside."""

    first = forms.DateField(label=_("from"), widget=forms.DateInput(attrs=_DATE, format="%Y-%m-%d"))
    last = forms.DateField(label=_("to"), widget=forms.DateInput(attrs=_DATE, format="%Y-%m-%d"))
    against = forms.ModelChoiceField(
        label=_("beside"),
        queryset=PolicyVersion.objects.none(),
        required=False,
        empty_label=_("nothing"),
        widget=forms.Select(attrs={"class": "am-field"}),
    )

    def __init__(self, version: PolicyVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "backtest_%s"} | kwargs))
        field: Any = self.fields["against"]
        field.queryset = comparable(version)


def comparable(version: PolicyVersion) -> Any:
    """The other versions of its policy, and those in force of other policies."""
    others = PolicyVersion.objects.exclude(pk=version.pk).select_related("policy")
    of_policy = others.filter(policy=version.policy_id)
    in_force = others.filter(state=PolicyVersion.State.ACTIVE)
    return (of_policy | in_force).order_by("policy__name", "-number")
