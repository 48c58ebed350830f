"""What the buttons of a batch's page call."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from backoffice.accounts.second_factor import used_second_factor
from compensation import approval, batches, exclusions, issuing
from compensation.admin.doors import back_to_batch, call, post_only
from compensation.models import Award, Batch


def _price(request: HttpRequest, batch: Batch) -> None:
    call(
        request,
        lambda: batches.price_batch(batch, by=request.user),  # type: ignore[arg-type]
        _("Priced. Check the figures, then submit the batch."),
    )


def _submit(request: HttpRequest, batch: Batch) -> None:
    call(
        request,
        lambda: batches.submit_batch(batch, by=request.user),  # type: ignore[arg-type]
        _("Submitted. Somebody else must approve it now."),
    )


def _approve(request: HttpRequest, batch: Batch) -> None:
    if not used_second_factor(request):
        messages.error(request, _("Approving takes your second factor: confirm it first."))
        return

    def verb() -> None:
        approval.approve_batch(
            batch,
            by=request.user,  # type: ignore[arg-type]
            digest=request.POST.get("digest", ""),
            comment=request.POST.get("comment", ""),
        )

    call(request, verb, _("You have approved batch {number}.").format(number=batch.number))


def _reject(request: HttpRequest, batch: Batch) -> None:
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: approval.reject_batch(batch, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Rejected."),
    )


def _cancel(request: HttpRequest, batch: Batch) -> None:
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: batches.cancel_batch(batch, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Cancelled."),
    )


def _pause(request: HttpRequest, batch: Batch) -> None:
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: issuing.pause_batch(batch, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Paused. Calls under way are finished."),
    )


def _resume(request: HttpRequest, batch: Batch) -> None:
    call(
        request,
        lambda: issuing.resume_batch(batch, by=request.user),  # type: ignore[arg-type]
        _("Resumed. It waits for the switch: all issuing is stopped.")
        if issuing.is_stopped()
        else _("Issuing goes on."),
    )


def _retry(request: HttpRequest, batch: Batch) -> None:
    call(
        request,
        lambda: issuing.retry_failed(batch, by=request.user),  # type: ignore[arg-type]
        _("The failed awards are sent again."),
    )


# name, permission, what it does
DOORS = [
    ("price", "compensation.price_batch", _price),
    ("submit", "compensation.submit_batch", _submit),
    ("approve", "compensation.approve_batch", _approve),
    ("reject", "compensation.approve_batch", _reject),
    ("cancel", "compensation.cancel_batch", _cancel),
    ("pause", "compensation.pause_batch", _pause),
    ("resume", "compensation.pause_batch", _resume),
    ("retry", "compensation.retry_award", _retry),
]


def batch_urls(site: AdminSite) -> list[URLPattern]:
    """One address for each button: admin:compensation_batch_<name>."""
    return [
        path(
            f"<int:pk>/{name}/",
            site.admin_view(_door(permission, action)),
            name=f"compensation_batch_{name}",
        )
        for name, permission, action in DOORS
    ]


def _door(permission: str, action: Any) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, permission):
            return refusal
        action(request, get_object_or_404(Batch.objects.select_related("version"), pk=pk))
        return back_to_batch(pk)

    return view


def exclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave one award out, with a reason."""
    if refusal := post_only(request, "compensation.exclude_award"):
        return refusal
    award = get_object_or_404(Award.objects.select_related("customer"), pk=pk)
    if award.batch_id is None:
        raise PermissionDenied
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: exclusions.exclude_award(award, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("{customer} is left out.").format(customer=award.customer),
    )
    return back_to_batch(award.batch_id)


def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one failed award again."""
    if refusal := post_only(request, "compensation.retry_award"):
        return refusal
    award = get_object_or_404(Award.objects.select_related("batch"), pk=pk)
    call(
        request,
        lambda: issuing.retry_award(award, by=request.user),  # type: ignore[arg-type]
        _("It is sent again."),
    )
    return redirect("admin:compensation_award_change", pk)


def include(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one award back in."""
    if refusal := post_only(request, "compensation.exclude_award"):
        return refusal
    award = get_object_or_404(Award.objects.select_related("customer"), pk=pk)
    call(
        request,
        lambda: exclusions.include_award(award, by=request.user),  # type: ignore[arg-type]
        _("{customer} is back in.").format(customer=award.customer),
    )
    return back_to_batch(award.batch_id)
