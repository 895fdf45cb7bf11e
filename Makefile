# Every target works in any folder, also one with blanks or Chinese characters in its name:
# paths are relative, and programs are started as modules of the environment's own Python.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
REFEREES := $(VENV)/referees
READERS := $(VENV)/readers
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
# An environment belongs to one folder: its editable install holds an absolute path.
FOLDER := $(shell printf '%s' "$(CURDIR)" | cksum | cut -d ' ' -f 1)
READY := $(VENV)/ready-$(FOLDER)
HERE := hongxing_crawler tests bench

export PYTHONUTF8 := 1

# The first Python that is new enough; PYTHON=… on the command line takes another one.
define FIND_PYTHON
set -e; python=; \
for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    python=$$name; break; \
  fi; \
done; \
if [ -z "$$python" ]; then \
  echo 'Python 3.11 or newer is missing: type "sudo apt install python3 python3-venv" and try again.' >&2; \
  exit 1; \
fi; \
if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
  echo "$$python cannot make virtual environments: type \"sudo apt install python3-venv\" and try again." >&2; \
  exit 1; \
fi
endef

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: $(READY) ## the virtual environment .venv, from requirements.lock
	@:

# pyproject.toml counts too: it names the commands that are installed.
$(READY): requirements.lock pyproject.toml
	@$(FIND_PYTHON); \
	moved=; for other in $(VENV)/ready-*; do \
	  if [ -e "$$other" ] && [ "$$other" != "$(READY)" ]; then moved=--clear; fi; \
	done; \
	if [ -n "$$moved" ] || ! $(PY) -c 'import pip' 2>/dev/null; then \
	  echo "Making $(VENV) with $$("$$python" --version)"; \
	  "$$python" -m venv --clear $(VENV); \
	fi
	@echo "Installing what requirements.lock names; this takes a minute or two"
	@$(PIP) install -qq --require-hashes -r requirements.lock || { \
	  echo 'The packages could not be installed: see the lines above, check network and disk, and type "make setup" again.' >&2; exit 1; }
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: setup ## serve data/demo_site on this machine, crawl it, say where everything is
	@$(PY) -m hongxing_crawler demo

.PHONY: lint
lint: setup ## format, lint, types, direction of imports
	$(PY) -m ruff format --check $(HERE)
	$(PY) -m ruff check $(HERE)
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo

.PHONY: test
test: lint ## lint, then every test
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || \
	  echo 'No Chromium: tests of pages that a script fills are skipped; type "sudo apt install chromium-headless-shell".'
	$(PY) -m pytest

.PHONY: fuzz
fuzz: setup ## the property tests again, with many more random inputs
	$(PY) -m pytest -m hypothesis --hypothesis-profile fuzz

KILLS := 20
.PHONY: crash
crash: setup ## kill -9 at KILLS random moments of a crawl and of a takedown, faults of the disk in writing and repair
	TEST_KILLS=$(KILLS) $(PY) -m pytest tests/test_crawl_kill.py tests/test_archive_crash.py tests/test_takedown.py

.PHONY: s3-faults
s3-faults: setup ## 300 uploads under faults of network, server and uploader; needs Ceph's radosgw
	$(PY) tests/s3_campaign.py --runs 300 --jobs 3

.PHONY: large
large: setup ## a response of 2 GiB, a WARC file over 4 GiB; needs 11 GB of disk
	TEST_LARGE=1 $(PY) -m pytest tests/test_archive_large.py

.PHONY: referees
referees: $(REFEREES)/ready ## our archive before outside judges: pywb, wacz, cdxj-indexer, a browser
	@command -v chromium >/dev/null || echo 'No chromium: the demo is not looked at in a browser; type "sudo apt install chromium".'
	HONGXING_REFEREES="$(CURDIR)/$(REFEREES)" $(PY) -m pytest -rs tests/test_archive_referees.py tests/test_archive_browser.py

# Their pins do not fit ours, so they live in an environment of their own.
$(REFEREES)/ready: requirements-referees.lock | setup
	@$(PY) -m venv --clear $(REFEREES)
	@$(REFEREES)/bin/python -m pip install -qq --require-hashes -r requirements-referees.lock
	@touch $@

.PHONY: readers
readers: $(READERS)/ready ## every line of docs/readers.md, run: pandas, Polars, DuckDB, datasets, Spark …
	HONGXING_READERS="$(CURDIR)/$(READERS)" $(PY) -m pytest tests/test_readers.py

$(READERS)/ready: requirements-readers.lock | setup
	@$(PY) -m venv --clear $(READERS)
	@$(READERS)/bin/python -m pip install -qq --require-hashes -r requirements-readers.lock
	@touch $@

NIGHTS := 365
.PHONY: soak
soak: setup ## a simulated year, a real run a night: hacked, away, killed; about half an hour
	$(PY) tests/soak.py --nights $(NIGHTS)

.PHONY: bench
bench: setup ## CPU and memory of a crawl, beside bare Scrapy and a typical project
	$(PY) bench/crawl.py

.PHONY: lock
lock: setup ## requirements.lock anew from pyproject.toml; UPGRADE=--upgrade takes newer versions
	@test -x $(VENV)/uv/bin/uv || { $(PY) -m venv $(VENV)/uv && $(VENV)/uv/bin/python -m pip install --quiet uv; }
	$(VENV)/uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command 'make lock' --quiet $(UPGRADE) --output-file requirements.lock

.PHONY: clean
clean: ## what can be made again: .venv, caches, build files; never var/
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf *.egg-info
