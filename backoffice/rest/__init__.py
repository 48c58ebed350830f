"""What every part of the REST API stands on: keys and scopes, pages, errors, repetition."""
