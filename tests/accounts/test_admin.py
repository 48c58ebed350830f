"""Administrators make users and give roles, but never make themselves approvers."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.changes import changes_of
from backoffice.accounts.models import User
from backoffice.accounts.roles import MEANING, PERMISSIONS, Role
from tests.accounts.factories import UserFactory, staff

pytestmark = pytest.mark.django_db

ADD = "/admin/accounts/user/add/"


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def role_ids(*roles):
    return list(Group.objects.filter(name__in=roles).values_list("pk", flat=True))


def fields(*roles, **more):
    return {"full_name": "Nora Neu", "language": "de", "time_zone": "Europe/Berlin"} | {
        "roles": role_ids(*roles),
        **more,
    }


def errors(response):
    return response.context["adminform"].form.errors.get_json_data()


@pytest.fixture
def administrator(client):
    user = staff(Role.ADMINISTRATOR, full_name="Anna Admin")
    client.force_login(user)
    return user


def test_user_is_made_with_roles_and_no_password(client, administrator):
    response = client.post(ADD, fields(Role.FINANCE, email="nora@example.com"))
    assert response.status_code == 302
    user = User.objects.get(email="nora@example.com")
    assert (user.is_staff, user.is_superuser, user.is_active) == (True, False, True)
    assert not user.has_usable_password()
    assert [group.name for group in user.groups.all()] == ["Finance"]


def test_history_tells_who_gave_which_role(client, administrator):
    client.post(ADD, fields(Role.FINANCE, email="nora@example.com"))
    user = User.objects.get(email="nora@example.com")
    data = fields(Role.AUDITOR, full_name="Nora Neumann", is_active="on")
    assert client.post(page_of(user), data).status_code == 302
    assert {(change.by, change.what) for change in changes_of(user)} == {
        ("Anna Admin", "made"),
        ("Anna Admin", "role given: Finance"),
        ("Anna Admin", "role taken: Finance"),
        ("Anna Admin", "role given: Auditor"),
        ("Anna Admin", "name: Nora Neu → Nora Neumann"),
    }
    assert "role taken: Finance" in client.get(page_of(user)).content.decode()


def test_new_user_needs_a_role(client, administrator):
    response = client.post(ADD, fields(email="nora@example.com"))
    assert list(errors(response)) == ["roles"]


def test_address_taken_in_other_case_is_refused(client, administrator):
    UserFactory(email="nora@example.com")
    response = client.post(ADD, fields(Role.FINANCE, email="NORA@example.com"))
    assert response.status_code == 200
    assert User.objects.filter(email__iexact="nora@example.com").count() == 1


def test_unknown_time_zone_is_refused(client, administrator):
    response = client.post(ADD, fields(Role.FINANCE, email="n@example.com", time_zone="Mars"))
    assert list(errors(response)) == ["time_zone"]


def test_nobody_makes_themselves_an_approver(client, administrator):
    data = fields(Role.ADMINISTRATOR, Role.FINANCE_APPROVER, is_active="on")
    response = client.post(page_of(administrator), data)
    assert errors(response)["roles"][0]["code"] == "own_approver"
    assert not administrator.groups.filter(name=Role.FINANCE_APPROVER).exists()


def test_superuser_makes_themselves_no_approver_either(client):
    root = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(root)
    response = client.post(page_of(root), fields(Role.FINANCE_APPROVER, is_active="on"))
    assert errors(response)["roles"][0]["code"] == "own_approver"


def test_administrator_who_is_approver_keeps_both(client):
    user = staff(Role.ADMINISTRATOR, Role.FINANCE_APPROVER)
    client.force_login(user)
    data = fields(Role.ADMINISTRATOR, Role.FINANCE_APPROVER, is_active="on")
    assert client.post(page_of(user), data).status_code == 302


def test_another_is_made_an_approver(client, administrator):
    other = staff(Role.FINANCE)
    data = fields(Role.FINANCE_APPROVER, is_active="on")
    assert client.post(page_of(other), data).status_code == 302
    assert other.has_perm("compensation.approve_batch")


def test_address_of_a_user_does_not_change(client, administrator):
    other = staff(Role.FINANCE_APPROVER)
    data = fields(Role.FINANCE_APPROVER, is_active="on", email=administrator.email + ".net")
    client.post(page_of(other), data)
    before = other.email
    other.refresh_from_db()
    assert other.email == before


def test_deactivated_user_is_signed_out(client, administrator):
    other = staff(Role.FINANCE)
    elsewhere = type(client)()
    elsewhere.force_login(other)
    assert elsewhere.get("/admin/").status_code == 200
    client.post(page_of(other), fields(Role.FINANCE))
    assert elsewhere.get("/admin/").status_code == 302


def test_nobody_switches_themselves_off(client, administrator):
    response = client.post(page_of(administrator), fields(Role.ADMINISTRATOR))
    assert list(errors(response)) == ["is_active"]


def test_user_without_roles_is_no_staff(client, administrator):
    other = staff(Role.FINANCE)
    client.post(page_of(other), fields(is_active="on"))
    other.refresh_from_db()
    assert (other.is_staff, other.is_active) == (False, True)


def test_administrator_cannot_touch_a_superuser(client, administrator):
    root = UserFactory(is_staff=True, is_superuser=True)
    assert client.post(page_of(root), fields(is_active="")).status_code == 403
    assert client.get(page_of(root)).status_code == 200


def test_superuser_is_not_made_in_the_admin(client, administrator):
    data = fields(Role.FINANCE, email="n@example.com", is_superuser="on", is_staff="on")
    client.post(ADD, data)
    assert not User.objects.get(email="n@example.com").is_superuser


def test_nobody_is_deleted(client, administrator):
    other = staff(Role.FINANCE)
    url = reverse("admin:accounts_user_delete", args=[other.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403


def test_auditor_looks_and_changes_nothing(client):
    client.force_login(staff(Role.AUDITOR))
    other = staff(Role.FINANCE)
    page = client.get(page_of(other))
    assert (page.status_code, "Finance" in page.content.decode()) == (200, True)
    assert client.post(page_of(other), fields()).status_code == 403
    assert client.get(ADD).status_code == 403


def test_list_needs_as_many_queries_for_one_as_for_three(client, administrator):
    counts = []
    for people in (1, 2):
        for _ in range(people):
            TOTP.activate(staff(Role.FINANCE), generate_totp_secret())
        with CaptureQueriesContext(connection) as queries:
            response = client.get("/admin/accounts/user/")
        counts.append(len(queries))
    assert response.content.decode().count("set up") == 3
    assert counts[0] == counts[1]


def test_roles_say_what_they_may_and_cannot_be_changed(client, administrator):
    assert set(MEANING) == set(PERMISSIONS) == set(Role)
    group = Group.objects.get(name=Role.FINANCE_APPROVER)
    page = client.get(reverse("admin:auth_group_change", args=[group.pk]))
    assert "Can approve or reject a batch" in page.content.decode()
    assert client.post(reverse("admin:auth_group_change", args=[group.pk]), {}).status_code == 403
    assert client.get("/admin/auth/group/add/").status_code == 403


def test_tables_of_the_sign_in_library_are_not_shown():
    assert not admin.site.is_registered(EmailAddress)
    assert not admin.site.is_registered(Authenticator)
