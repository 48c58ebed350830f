"""The back office: what every app stands on, and what looks across them."""
