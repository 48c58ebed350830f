"""E-mail: reading what comes, writing what goes, fetching by IMAP, sending by Django's backend."""

from backoffice.channels.email.channel import EmailChannel

__all__ = ["EmailChannel"]
