"""What customers think: asked after a ticket (CSAT) and after an incident (NPS), voted, summed."""

from support.surveys.asking import ask_about_incidents, ask_about_tickets
from support.surveys.sending import send_surveys
from support.surveys.summing import Summary, summary
from support.surveys.voting import SurveyClosedError, can_vote, survey_of, vote

__all__ = [
    "Summary",
    "SurveyClosedError",
    "ask_about_incidents",
    "ask_about_tickets",
    "can_vote",
    "send_surveys",
    "summary",
    "survey_of",
    "vote",
]
