"""The page behind the links of a survey's mail."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from support.models import Survey
from support.surveys import SurveyClosedError, can_vote, survey_of, vote
from support.surveys.sending import language_of, scores_of
from support.surveys.voting import LONGEST_COMMENT


class VoteForm(forms.Form):
    """The score, and words for who has some."""

    score = forms.TypedChoiceField(
        label=gettext_lazy("Your rating"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one of the numbers.")},
    )
    comment = forms.CharField(
        label=gettext_lazy("Do you want to say why?"),
        required=False,
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, survey: Survey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["score"].choices = [  # type: ignore[attr-defined]
            (score, str(score)) for score in scores_of(survey)
        ]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """A click in the mail comes as GET, and is voted by the page's own POST.

    Mail scanners follow links; a vote by GET would be theirs.
    """
    asked = survey_of(token)
    if asked is None:
        return _answer(render(request, "support/survey_over.html", status=404))
    with override(language_of(asked)):
        if not can_vote(asked):
            return _answer(render(request, "support/survey_over.html", {"survey": asked}))
        form = VoteForm(asked, initial=_initial(request, asked))
        if request.method == "POST":
            form = VoteForm(asked, request.POST)
            if form.is_valid():
                try:
                    vote(asked, form.cleaned_data["score"], form.cleaned_data["comment"])
                except SurveyClosedError:
                    return _answer(render(request, "support/survey_over.html", {"survey": asked}))
                return _answer(redirect("survey", token))
        clicked = request.method == "GET" and "score" in request.GET
        return _answer(
            render(
                request,
                "support/survey.html",
                {"survey": asked, "form": form, "votes_at_once": clicked},
                status=422 if form.errors else 200,
            )
        )


def _initial(request: HttpRequest, asked: Survey) -> dict[str, Any]:
    score = request.GET.get("score", "")
    known = score.isdecimal() and int(score) in scores_of(asked)
    return {"score": int(score) if known else asked.score, "comment": asked.comment}


def _answer(response: HttpResponse) -> HttpResponse:
    """The link's secret goes to nobody; “no-referrer” would blank the Origin that CSRF looks at."""
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
