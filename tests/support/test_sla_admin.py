"""Calendars and promises as leads set them up."""

import pytest
import time_machine
from django.urls import reverse

from backoffice.accounts.roles import Role
from support.models import Calendar, Recalculation, SlaPolicy
from tests.compensation.screens import signed_in, words
from tests.support.promises import at, calendar, policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    client, _person = signed_in(Role.SUPPORT_LEAD)
    return client


def typed(closures=(), **fields):
    rows = {
        f"closures-{number}-{name}": value
        for number, row in enumerate(closures)
        for name, value in row.items()
    }
    counts = {"TOTAL_FORMS": len(closures), "INITIAL_FORMS": 0}
    week = {f"day_{day}": "9-12, 13:00–17:00" if day < 5 else "" for day in range(7)}
    return (
        {"name": "Berlin", "time_zone": "Europe/Berlin", "country": "DE", "subdivision": "BE"}
        | week
        | {f"closures-{name}": value for name, value in counts.items()}
        | rows
        | fields
    )


def add(client, *closures, **fields):
    return client.post(reverse("admin:support_calendar_add"), typed(closures, **fields))


def test_a_calendar_is_written_day_by_day(lead):
    christmas = {"name": "Christmas", "first_day": "2026-12-24", "last_day": "2026-12-31"}
    assert add(lead, christmas, day_5="22-24").status_code == 302
    made = Calendar.objects.get(name="Berlin")
    assert list(made.slots.filter(weekday=0).values_list("from_minute", "to_minute")) == [
        (540, 720),
        (780, 1020),
    ]
    assert made.slots.get(weekday=5).to_minute == 1440
    assert made.closures.get().name == "Christmas"
    assert (made.country, made.subdivision) == ("DE", "BE")


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        ("nine to five", "are no hours: write 09:00"),
        ("9-12, 11-17", "These hours overlap"),
        ("22:00-06:00", "ends before it begins"),
        ("9-25", "is not within a day"),
        ("9:75-12", "is not within a day"),
    ],
)
def test_hours_that_are_none_are_told(lead, hours, why):
    answer = add(lead, day_0=hours)
    assert why in words(answer)
    assert not Calendar.objects.filter(name="Berlin").exists()


def test_a_calendar_without_hours_is_refused(lead):
    answer = add(lead, **{f"day_{day}": "" for day in range(7)})
    assert "needs working hours on one day at least" in words(answer)


def test_a_calendar_closed_for_good_is_refused(lead):
    closed = {"name": "For good", "first_day": "2020-01-01", "last_day": "2099-12-31"}
    assert "no working hours for over 5 years" in words(add(lead, closed))
    assert not Calendar.objects.filter(name="Berlin").exists()


def test_a_changed_calendar_has_its_deadlines_worked_out_anew(lead):
    office = calendar("Berlin")
    url = reverse("admin:support_calendar_change", args=[office.pk])
    assert lead.post(url, typed(day_0="8-16")).status_code == 302
    assert office.slots.get(weekday=0).from_minute == 480
    asked = Recalculation.objects.get()
    assert (asked.calendar, asked.done_at) == (office, None)


def test_nothing_changed_asks_for_nothing(lead):
    office = calendar("Berlin")
    url = reverse("admin:support_calendar_change", args=[office.pk])
    week = {f"day_{day}": "09:00–17:00" if day < 5 else "" for day in range(7)}
    same = typed(**week) | {"time_zone": "UTC", "country": "", "subdivision": ""}
    assert lead.post(url, same).status_code == 302
    assert not Recalculation.objects.exists()


def test_the_preview_tells_hours_holidays_and_changed_clocks_before_saving(lead):
    url = reverse("admin:support_calendar_preview")
    with time_machine.travel(at(10, day=-28), tick=False):  # 19 October 2026
        move = {"name": "Move", "first_day": "2026-10-20", "last_day": "2026-10-20"}
        text = words(lead.post(url, typed([move], day_6="1-4")))
    assert "closed: Move" in text
    assert "01:00–04:00 (the clocks change) 4 h" in text
    assert not Calendar.objects.exists()


def test_the_preview_says_what_is_wrong(lead):
    url = reverse("admin:support_calendar_preview")
    assert "are no hours" in words(lead.post(url, typed(day_0="morning")))


def test_the_parts_of_a_country_are_offered(lead):
    url = reverse("admin:support_calendar_parts")
    assert '<option value="BY">Bayern</option>' in lead.get(url, {"country": "DE"}).content.decode()
    assert lead.get(url, {"country": "ZZ"}).status_code == 200


def test_a_reader_sees_the_calendar_and_its_weeks_and_changes_nothing():
    client, _person = signed_in(Role.SUPPORT_AGENT)
    office = calendar("Berlin")
    page = words(client.get(reverse("admin:support_calendar_change", args=[office.pk])))
    assert "Mon–Fri 09:00–17:00" in page
    assert "The next two weeks" in page


def promised(**fields):
    office = fields.pop("calendar", None) or calendar("Office")
    return {
        "name": "Business", "calendar": office.pk, "condition": "", "position": 0,
        "is_active": "on", "first_response_minutes": 60, "next_response_minutes": "",
        "resolution_minutes": "", "pauses_on_hold": "on", "warn_minutes": 30, "raise_to": "",
        "give_to": "", "give_to_agent": "",
    } | fields  # fmt: skip


def test_a_policy_is_kept_and_reaches_the_open_tickets(lead):
    url = reverse("admin:support_slapolicy_add")
    answer = lead.post(url, promised(condition='language = "de"', raise_to=4))
    assert answer.status_code == 302
    assert SlaPolicy.objects.get().raise_to == 4
    assert Recalculation.objects.get().calendar is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"condition": 'colour = "red"'}, "There is no field “colour” here"),
        ({"first_response_minutes": ""}, "Promise one thing at least"),
        ({"first_response_minutes": 0}, "greater than or equal to 1"),
    ],
)
def test_a_policy_that_promises_nothing_readable_is_refused(lead, fields, why):
    assert why in words(lead.post(reverse("admin:support_slapolicy_add"), promised(**fields)))
    assert not SlaPolicy.objects.exists()


def test_policies_are_put_in_another_order_in_the_list(lead):
    first, second = policy("First"), policy("Second", position=1)
    url = reverse("admin:support_slapolicy_changelist")
    page = words(lead.get(url))
    assert "1 h" in page
    data = {
        "form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save",
        "form-0-id": first.pk, "form-0-position": 5, "form-1-id": second.pk, "form-1-position": 1,
    }  # fmt: skip
    assert lead.post(url, data).status_code == 302
    assert list(SlaPolicy.objects.values_list("name", flat=True)) == ["Second", "First"]
    assert Recalculation.objects.count() == 1


def test_a_deleted_policy_leaves_its_tickets_to_the_others(lead):
    gone = policy("Gone")
    url = reverse("admin:support_slapolicy_delete", args=[gone.pk])
    assert lead.post(url, {"post": "yes"}).status_code == 302
    assert Recalculation.objects.count() == 1


def test_a_new_calendar_begins_in_the_zone_of_its_author():
    client, person = signed_in(Role.SUPPORT_LEAD)
    type(person).objects.filter(pk=person.pk).update(time_zone="Europe/Vienna")
    page = client.get(reverse("admin:support_calendar_add")).content.decode()
    assert '<option value="Europe/Vienna" selected>' in page
