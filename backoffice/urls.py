"""Every address of the project."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from backoffice.accounts.views import after_sign_in
from backoffice.admin.history import history
from backoffice.admin.issued import issued
from support.admin.reports import report_csv, reports

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", after_sign_in, name="after_sign_in"),
    path("accounts/", include("backoffice.accounts.urls")),
    path("account/", include("compensation.urls")),
    path("", include("backoffice.customers.urls")),
    path("", include("support.urls")),
    path("", include("backoffice.webhooks.urls")),
    path("", include("backoffice.operation.urls")),
    path("admin/history/", admin.site.admin_view(history), name="history"),
    path("admin/issued/", admin.site.admin_view(issued), name="dashboard-issued"),
    path("admin/desk/reports/", admin.site.admin_view(reports), name="support-reports"),
    path("admin/desk/reports/csv/", admin.site.admin_view(report_csv), name="support-reports-csv"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("backoffice.api")),
]
