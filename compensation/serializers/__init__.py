"""What the API says about compensation."""

from compensation.serializers.claims import ClaimSerializer, NewClaimSerializer
from compensation.serializers.money import (
    AskedReversalSerializer,
    AwardSerializer,
    BatchDraftSerializer,
    BatchSerializer,
    CreditsSerializer,
    ExplainedAwardSerializer,
    PolicySerializer,
    ReversalSerializer,
)

__all__ = [
    "AskedReversalSerializer",
    "AwardSerializer",
    "BatchDraftSerializer",
    "BatchSerializer",
    "ClaimSerializer",
    "CreditsSerializer",
    "ExplainedAwardSerializer",
    "NewClaimSerializer",
    "PolicySerializer",
    "ReversalSerializer",
]
