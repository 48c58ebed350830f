"""A drawn world in the database: many exposures of one incident, others in its period, policies."""

from collections import defaultdict
from datetime import timedelta
from types import SimpleNamespace

from backoffice.accounts.models import User
from backoffice.customers.models import Component, Customer, Subscription
from compensation.models import Award, Batch, Policy, PolicyVersion, Rule
from incidents.models import Cohort, Exposure, ExposureProfile, Incident, Outage
from tests.compensation.lived import lived

SECOND = timedelta(seconds=1)
COMPONENTS = 3


class Built:
    """What stands in the database: `incident`, `given` (awards that count) and `versions`."""

    def __init__(self, world):
        self.world = world
        self.started = world["started"]
        self.components = Component.objects.bulk_create(
            Component(key=f"c-{n}", name=f"Component {n}") for n in range(COMPONENTS)
        )
        self.customers = Customer.objects.bulk_create(
            Customer(
                reference=f"C-{n}", country=one["country"], currency=one["currency"],
                stripe_customer_id=f"cus_{n}" if one["on_stripe"] else None,
            )
            for n, one in enumerate(world["customers"])
        )  # fmt: skip
        self.pairs = self._subscribe()
        self._stand_by(world["bystanders"])
        self.incident = self._happen(0, world | {"days": 0}, self.pairs)
        for n, other in enumerate(world["others"]):
            hit = [pair for pair in self.pairs if n in pair[0]["in_others"]]
            self._happen(n + 1, other, hit)
        self.versions = [self._promise(n, *version) for n, version in enumerate(world["versions"])]
        self.given = Giving(self).given
        self.cases = len(self.pairs)

    def batch(self, version):
        """A draft under `version`."""
        return Batch.objects.create(
            number=f"draft {version.pk}", incident=self.incident, version=version
        )

    def _subscribe(self):
        """(drawn, customer, subscription or None) of each exposure."""
        pairs, without = [], set()
        for n, one in enumerate(self.world["exposures"]):
            customer = self.customers[one["customer"]]
            if one["has_subscription"]:
                pairs.append((one, customer, subscription(n, one, customer, self.started)))
            elif customer.pk not in without and customer.currency:
                without.add(customer.pk)
                pairs.append((one, customer, None))
        Subscription.objects.bulk_create(each for _one, _customer, each in pairs if each)
        return pairs

    def _stand_by(self, drawn):
        """Each with a customer of its own, and nothing to do with any incident."""
        those = Customer.objects.bulk_create(
            Customer(reference=f"B-{n}", currency="EUR") for n in range(len(drawn))
        )
        Subscription.objects.bulk_create(
            Subscription(
                reference=f"SB-{n}", customer=each, plan="Business", currency="EUR", fee_minor=1,
                status=one["status"], started_at=self.started + timedelta(days=one["began"]),
                ended_at=None if one["ended"] is None else self.started + timedelta(
                    days=max(one["ended"], one["began"])
                ),
            )
            for n, (one, each) in enumerate(zip(drawn, those, strict=True))
        )  # fmt: skip

    def _happen(self, n, drawn, pairs):
        incident = Incident.objects.create(
            number=f"INC-{n}", kind=drawn["kind"],
            started_at=self.started + timedelta(days=drawn["days"]),
        )  # fmt: skip
        Outage.objects.bulk_create(
            Outage(
                incident=incident, component=self.components[one["component"]],
                impact=one["impact"], region=one["region"],
                affected_percent=one["affected_percent"],
                starts_at=incident.started_at + one["after"] * SECOND,
                ends_at=incident.started_at + (one["after"] + one["seconds"]) * SECOND,
            )
            for one in drawn["outages"]
        )  # fmt: skip
        cohort = Cohort.objects.create(incident=incident, name="All")
        Exposing(incident, cohort, self.components).expose(pairs)
        return incident

    def _promise(self, n, terms, table):
        policy = Policy.objects.create(key=f"random-{n}", name="Random")
        version = PolicyVersion.objects.create(policy=policy, number=1, **terms)
        Rule.objects.bulk_create(Rule(version=version, **rule) for rule in table)
        return version


def subscription(n, one, customer, at):
    period_start = None
    if one["period_from"] is not None:
        # not beyond the 28th: where a month is shorter, the anchor is lost with the next one
        period_start = (at + timedelta(days=one["period_from"])).replace(day=1 + n % 28)
    return Subscription(
        reference=f"S-{n}", customer=customer, plan=one["plan"], currency=one["currency"],
        fee_minor=one["fee_minor"], interval_months=one["interval_months"], status=one["status"],
        region=one["region"], started_at=at - timedelta(days=one["tenure_days"]),
        trial_end=None if one["trial_days"] is None else at + timedelta(days=one["trial_days"]),
        period_start=period_start,
        period_end=period_start and period_start + timedelta(days=14 + 17 * (n % 2)),
        stripe_subscription_id=f"sub_{n}" if one["on_stripe"] else None,
    )  # fmt: skip


class Exposing:
    """Writes the exposures of one incident as resolving its cohorts would."""

    def __init__(self, incident, cohort, components):
        self.incident, self.cohort, self.components = incident, cohort, components
        self.profiles = {}

    def expose(self, pairs):
        rows = [row for row in (self._row(*pair) for pair in pairs) if row is not None]
        ExposureProfile.objects.bulk_create(self.profiles.values())
        for row in rows:
            row.profile_id = row.profile and row.profile.pk
        Exposure.objects.bulk_create(rows)

    def _row(self, one, customer, sub):
        row = Exposure(
            incident=self.incident, cohort=self.cohort, customer=customer, subscription=sub,
            major_seconds=one["major"], partial_seconds=one["partial"],
        )  # fmt: skip
        if one["is_stated"] or sub is None:
            return row
        profile = self._profile(one)
        row.profile = profile
        row.major_seconds = profile.major_seconds
        row.partial_seconds = profile.partial_seconds
        return row if row.major_seconds + row.partial_seconds else None

    def _profile(self, one):
        key = one["components"], one["region"], one["lived"]
        if key not in self.profiles:
            first, last = one["lived"]
            profile = ExposureProfile(
                incident=self.incident, components=[self.components[n].pk for n in key[0]],
                region=one["region"], lived_from=self.incident.started_at + first * SECOND,
                lived_to=last and self.incident.started_at + last * SECOND,
            )  # fmt: skip
            profile.major_seconds = self._seconds(profile, "weighed", partial_weight=0)
            both = self._seconds(profile, "length", partial_weight=1)
            profile.partial_seconds = both - profile.major_seconds
            self.profiles[key] = profile
        return self.profiles[key]

    def _seconds(self, profile, name, *, partial_weight):
        version = SimpleNamespace(partial_weight=partial_weight, affected_share="")
        hit = SimpleNamespace(incident=self.incident, profile=profile)
        return sum(int(getattr(each, name)) for each in lived(version, [hit], {})) // 1000


class Giving:
    """What was given before: goodwill, and what batches gave for incidents."""

    STATES = {  # of the award, and of its batch
        "approved": ("approved", "approved"),
        "issued": ("issued", "issued"),
        "failed": ("failed", "issued"),
        "submitted": ("proposed", "submitted"),
    }  # fmt: skip

    def __init__(self, built):
        self.built = built
        self.giver = User.objects.get_or_create(email="giver@example.com")[0]
        self.incidents, self.batches = {}, {}
        self.given, awards, moments = [], [], defaultdict(list)
        for one, customer, sub in built.pairs:
            if one["given"]:
                award, at = self._award(one["given"], customer, sub)
                awards.append(award)
                moments[at].append(award)
                if award.state != "failed":
                    self.given.append(known(award, at))
        Award.objects.bulk_create(awards)
        for at, those in moments.items():
            Award.objects.filter(pk__in=[each.pk for each in those]).update(created_at=at)

    def _award(self, drawn, customer, sub):
        is_trial = drawn["benefit"] == "trial" and sub is not None
        from_batch = drawn["source"] == "batch"
        at = self.built.started - timedelta(days=drawn["days"])
        incident = self._incident(drawn, at)
        state, batch_state = self.STATES[drawn["state"]] if from_batch else ("approved", None)
        award = Award(
            source=drawn["source"], customer=customer, subscription=sub, incident=incident,
            batch=self._batch(incident, batch_state) if from_batch else None,
            benefit="trial" if is_trial else "credit", state=state,
            amount_minor=0 if is_trial else drawn["amount"],
            days=1 + drawn["amount"] % 9 if is_trial else 0,
            currency="" if is_trial else (sub or customer).currency,
            destination="cus_0", reason="" if from_batch else "Sorry.",
            given_by=None if from_batch else self.giver,
        )  # fmt: skip
        return award, incident.started_at if incident else at

    def _incident(self, drawn, at):
        if drawn["of"] == "this":
            return self.built.incident
        if drawn["of"] == "none" and drawn["source"] == "goodwill":
            return None
        number = f"INC-earlier-{drawn['days']}"
        if number not in self.incidents:
            self.incidents[number] = Incident.objects.create(number=number, started_at=at)
        return self.incidents[number]

    def _batch(self, incident, state):
        key = incident.pk, state
        if key not in self.batches:
            version = self.built.versions[0]
            self.batches[key] = Batch.objects.create(
                number=f"{incident.pk} {state}", incident=incident, version=version, state=state
            )
        return self.batches[key]


def known(award, at):
    """What the reference needs to know of it; `at` says to which period it belongs."""
    return SimpleNamespace(
        at=at, amount=award.amount_minor, days=award.days, currency=award.currency,
        subscription=award.subscription_id, customer=award.customer_id, source=award.source,
        benefit=award.benefit, incident=award.incident_id,
    )  # fmt: skip
