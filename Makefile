# The one list of commands. Each does its own set-up and passes ARGS on:
#   make demo ARGS="--no-serve --json"
# What a command installs on the way speaks on stderr, so stdout is the command's alone.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
PYTHON := .venv/bin/python
MANAGE := $(PYTHON) manage.py
INSTALLED := .venv/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install messages services stop clean migrate run demo screenshots test bench chaos lint format types checks ci

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: $(INSTALLED) messages ## make .venv from the lock file, with uv or without

$(INSTALLED): pyproject.toml uv.lock
	@.ci/venv
	@touch $@

messages: $(INSTALLED) ## compile the translations that changed
	@$(PYTHON) -m backoffice.catalogs

services: $(INSTALLED) ## start the embedded PostgreSQL and Redis that no URL replaces
	@$(PYTHON) -m backoffice.embedded start >&2

stop: ## stop the embedded services; the data stays
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m backoffice.embedded stop; fi

clean: ## remove the embedded services with their data, and .venv
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m backoffice.embedded remove; fi
	@rm -rf .venv .local

migrate: install ## bring the database up to date
	@$(MANAGE) migrate $(ARGS)

run: install ## web, worker, beat and Stripe sandbox for developers, until Ctrl-C
	@$(MANAGE) migrate --verbosity 0
	@parts=; trap 'kill $$parts 2>/dev/null; wait' EXIT; trap 'exit 130' INT TERM; \
	[ -n "$$STRIPE_API_KEY" ] || { $(PYTHON) -m backoffice.stripe_sandbox --port 12111 \
		--state .local/stripe.sqlite3 --webhook-secret whsec_sandbox \
		--webhook-url http://127.0.0.1:8000/webhooks/stripe/ & parts=$$!; }; \
	$(PYTHON) -m celery -A backoffice.celery worker --beat --schedule .local/beat & \
	parts="$$parts $$!"; \
	$(MANAGE) runserver $(ARGS)

demo: install ## the whole story on made data, then serve it until Ctrl-C
	@$(MANAGE) demo $(ARGS)

screenshots: install ## the pictures of the README, from the demo; needs Chromium
	@$(PYTHON) -m tests.screenshots

test: install ## the tests, in two processes; one: ARGS="-n 0 ..."
	@AMENDS_ENVIRONMENT=local $(PYTHON) -m pytest -n 2 --dist loadfile $(ARGS)

bench: install services ## measure against the bars, one line per work
	@AMENDS_ENVIRONMENT=local $(PYTHON) -m tests.bench $(ARGS)

chaos: install services ## issue a batch while everything breaks, and count what Stripe's sandbox holds
	@AMENDS_ENVIRONMENT=local $(PYTHON) -m tests.chaos $(ARGS)

lint: install ## style, types, floors, templates
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy .
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m djlint --lint --quiet .

types: install ## types only
	@$(PYTHON) -m mypy $(or $(ARGS),.)

format: install ## put the code into shape
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

# What stands for a production environment while its settings are checked; it opens nothing.
PRODUCTION := AMENDS_ENVIRONMENT=production ALLOWED_HOSTS=amends.example.com \
	PUBLIC_URL=https://amends.example.com \
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')

checks: install ## migrations complete, production settings safe, OpenAPI valid
	@$(MANAGE) makemigrations --check --dry-run
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	@$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null

ci: ## what continuous integration runs
	@$(MAKE) lint ARGS=
	@$(MAKE) checks ARGS=
	@$(MAKE) test
