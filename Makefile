# One word per chore; python3 -m bootstrap --help says what each does. Variables go on the same line: make up STACK=staging
PYTHON ?= python3
export STACK TORCH

.DEFAULT_GOAL := help
.PHONY: help setup up down report test faults check docs status

help:  ## this text
	@$(PYTHON) -m bootstrap --help

setup up down test faults check docs status:
	@$(PYTHON) -m bootstrap $@

report:  # make report HTML=report.html writes the page
	@$(PYTHON) -m bootstrap report $(if $(HTML),html=$(HTML)) $(if $(DEPLOYED),deployed)
