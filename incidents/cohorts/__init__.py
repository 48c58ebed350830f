"""Whom an incident hit: cohorts, their members, and each one's affected seconds."""

from incidents.cohorts.resolution import Resolution, resolve

__all__ = ["Resolution", "resolve"]
