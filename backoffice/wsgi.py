"""The web application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

# Tasks are sent through it: without the import they would go to a broker of nobody's.
import backoffice.celery  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
application = get_wsgi_application()
