"""What a work measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Ours beside the reference, and how far apart they may be.

    `unit` is what both count in. `more_is_better` turns the bar from a ceiling into a floor.
    `notes` are further figures, printed after the line's end; `others_hold` says whether those
    that have bars of their own keep them.
    """

    ours: float
    reference: float
    bar: float
    unit: str = "s"
    more_is_better: bool = False
    notes: str = ""
    others_hold: bool = True

    @property
    def ratio(self) -> float:
        return self.ours / self.reference

    @property
    def is_ok(self) -> bool:
        holds = self.ratio >= self.bar if self.more_is_better else self.ratio <= self.bar
        return holds and self.others_hold

    def line(self, name: str) -> str:
        words = [
            name,
            f"ours={self.ours:.3f}{self.unit}",
            f"reference={self.reference:.3f}{self.unit}",
            f"ratio={self.ratio:.2f}",
            f"bar={self.bar:g}",
            "ok" if self.is_ok else "short",
        ]
        return " ".join(words) + (f" ({self.notes})" if self.notes else "")
