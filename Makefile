# The front door. Every target does its own set-up from a bare clone.
.DEFAULT_GOAL := help
.PHONY: help chat bot check quick test lint chaos bench lock docs clean

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
RUN_READY := .venv/.ready-to-run
DEV_READY := .venv/.ready-to-develop
PEER_READY := .venv-peer/.ready

help:  ## list what can be done
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# What an installer says goes into a log; its end is shown only where it fails.
SETUP_LOG := .venv/setup.log
define quietly
$(1) >$(SETUP_LOG) 2>&1 || { echo "That failed. The end of $(SETUP_LOG):" >&2; tail -n 8 $(SETUP_LOG) | cut -c1-400 >&2; exit 1; }
endef
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found none. Set PYTHON=/path/to/python3.11." >&2; exit 1; }
	@echo "Setting up in .venv, once; this takes a minute or two ..." >&2
	@said=$$($(PYTHON) -m venv .venv 2>&1) || { echo "$$said" >&2; rm -rf .venv; exit 1; }

$(RUN_READY): requirements.lock pyproject.toml | $(BIN)/python
	@$(call quietly,$(PIP) --require-hashes -r requirements.lock)
	@$(call quietly,$(PIP) --no-deps -e .)
	@touch $@

$(DEV_READY): requirements-dev.lock $(RUN_READY)
	@echo "Setting up what the tests need, once ..." >&2
	@$(call quietly,$(PIP) --require-hashes -r requirements-dev.lock)
	@touch $@

chat: $(RUN_READY)  ## talk with the bot in this terminal; no token needed
	@$(BIN)/ipt-bot chat

bot: $(RUN_READY)  ## run on Telegram with the token in .env
	@$(BIN)/ipt-bot run

check: $(RUN_READY)  ## read the whole book and list every fault
	@$(BIN)/ipt-bot check

quick: $(DEV_READY)  ## lint, types, the book, and the tests that take less than a minute in all
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/ipt-bot check
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test: $(DEV_READY)  ## everything: lint, types, the book, all tests with real parts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/ipt-bot check
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(DEV_READY)  ## format and lint the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/mypy

chaos: $(DEV_READY)  ## kill the bot at random instants and count what is lost (KILLS=50)
	@$(BIN)/python -m tests.chaos --kills $${KILLS:-50} --seconds $${SECONDS_AT_MOST:-600}

# The peer of the benchmark lives beside, so that nothing of it comes into our own environment. Without it the rest
# is measured all the same.
$(PEER_READY): requirements-peer.lock | $(BIN)/python
	@echo "Setting up the benchmark's peer in .venv-peer, once ..." >&2
	@rm -rf .venv-peer; { $(PYTHON) -m venv .venv-peer && .venv-peer/bin/python -m pip install -q \
		--disable-pip-version-check --require-hashes -r requirements-peer.lock && touch $@; } >.venv/peer.log 2>&1 \
		|| { rm -rf .venv-peer; echo "That failed; .venv/peer.log says why. The rest is measured." >&2; }

bench: $(RUN_READY) $(PEER_READY)  ## CPU time of a durable turn, by part and beside a peer (needs redis-server)
	@$(BIN)/ipt-bot bench turn

docs: $(RUN_READY)  ## write the generated parts of the documents anew
	@$(BIN)/ipt-bot draw --write
	@$(BIN)/ipt-bot safety measure tests/safety/corpus_en.jsonl --write docs/safety.md

lock: | $(BIN)/python  ## resolve the locked dependencies anew
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-peer.txt -o requirements-peer.lock

clean:  ## remove the virtual environments and caches; never the data
	@rm -rf .venv .venv-peer .mypy_cache .ruff_cache .pytest_cache .hypothesis
