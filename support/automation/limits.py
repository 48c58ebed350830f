"""What keeps rules from running for ever: a depth, and a number of runs a ticket and hour."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from support.authority import holders_of
from support.models import AutomationRule, RuleRun
from support.staff_notices import notify

# An event that came of a rule that answered an event that came of a rule …
MOST_DEPTH = 5
MOST_AN_HOUR = 30
STOPPED = "Stopped: "


class Limits:
    """How often rules ran on these tickets in the last hour. One query, then it counts along."""

    def __init__(self, ticket_ids: Iterable[int]) -> None:
        since = timezone.now() - timedelta(hours=1)
        runs = RuleRun.objects.filter(ticket__in=list(ticket_ids), at__gte=since)
        stops = Count("pk", filter=Q(error__startswith=STOPPED))
        counted = runs.values("ticket").annotate(runs=Count("pk"), stops=stops).order_by()
        rows = list(counted.values_list("ticket", "runs", "stops"))
        self._runs = Counter({ticket: number for ticket, number, _stops in rows})
        self._stopped = {ticket for ticket, _number, stops_ in rows if stops_}

    def why_not(self, ticket_id: int, depth: int) -> str:
        """Why no rule may answer an event of that `depth` on this ticket; empty: it may."""
        if depth >= MOST_DEPTH:
            return _("rules keep setting each other off (%(depth)s in a row)") % {"depth": depth}
        if self._runs[ticket_id] >= MOST_AN_HOUR:
            return _("rules ran %(most)s times on this ticket within an hour") % {
                "most": MOST_AN_HOUR
            }
        return ""

    def count(self, ticket_id: int) -> None:
        self._runs[ticket_id] += 1

    def stop(self, run: RuleRun, why: str) -> None:
        """Keep that `run` was stopped, and tell those who write rules; once a ticket and hour."""
        run.error = f"{STOPPED}{why}"
        is_told = run.ticket_id in self._stopped
        if run.pk or not is_told:
            run.save()
        if is_told:
            return
        self._stopped.add(run.ticket_id)
        text = _("The rule “%(rule)s” was stopped: %(why)s.") % {"rule": run.rule, "why": why}
        notify(holders_of("change_automationrule"), text=text, ticket=run.ticket)


def tell_failure(rule: AutomationRule, run: RuleRun) -> None:
    """Tell those who write rules that this one cannot do what it should; once a day."""
    since = timezone.now() - timedelta(days=1)
    before = RuleRun.objects.filter(rule=rule, at__gte=since).exclude(error="").exclude(pk=run.pk)
    if not before.exists():
        text = _("The rule “%(rule)s” failed: %(error)s") % {"rule": rule, "error": run.error}
        notify(holders_of("change_automationrule"), text=text, ticket=run.ticket)
