"""The OpenAPI document describes every door without guessing."""

from io import StringIO

from django.core.management import call_command


def test_document_is_valid_and_nothing_in_it_is_guessed():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())
