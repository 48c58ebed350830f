"""Measurements against the bars, each beside a reference in the same run."""
