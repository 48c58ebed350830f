"""The web application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

# Tasks are sent through it: without the import they would go to a broker of nobody's.
import backoffice.celery  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
application = get_wsgi_application()
# All doors are opened now: the first visitor need not wait two seconds for it.
get_resolver().url_patterns  # noqa: B018
