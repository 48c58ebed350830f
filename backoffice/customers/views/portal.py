"""The door that a one-time link leads to."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backoffice.customers.portal import PortalLinkError, redeem, remember_visit


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_portal(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a page that posts itself at once; only POST uses the link up.

    Mail scanners and messengers fetch links to preview them: a link that works by GET would be
    used up before its owner sees it. Without scripts, the owner presses the button.
    """
    if request.method != "POST":
        response = render(request, "customers/portal_open.html")
    else:
        try:
            secret = redeem(token)
        except PortalLinkError:
            response = render(request, "customers/portal_link_used.html", status=410)
        else:
            response = HttpResponseRedirect(_home(), status=303)
            remember_visit(response, secret)
    # The token goes to nobody; “no-referrer” would also blank the Origin that CSRF looks at.
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _home() -> str:
    try:
        return reverse("portal-home")
    except NoReverseMatch:
        return "/account/"
