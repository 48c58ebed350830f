"""What an issuer's run leaves in the log: numbers of awards and batches, never who they are for."""

import logging
from itertools import groupby

from compensation.issuing.writing import Chunk, Issued, Troubled

logger = logging.getLogger(__name__)


def tell(chunk: Chunk) -> None:
    """A line for the awards of each batch that were issued, and one for each in trouble."""
    for batch, issued in groupby(sorted(chunk.issued, key=_batch), key=_batch):
        awards = [each.order.award for each in issued]
        logger.info(
            "awards issued",
            extra={"batch_id": batch or None, "award_ids": awards, "awards": len(awards)},
        )
    for each in chunk.failed:
        logger.warning("award failed", extra=_trouble(each))
    for each in chunk.unknown:
        logger.warning("award unknown", extra=_trouble(each))


def _batch(issued: Issued) -> int:
    return issued.order.batch or 0


def _trouble(each: Troubled) -> dict[str, object]:
    return {"award_id": each.award, "error_code": each.code}
