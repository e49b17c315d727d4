# One target per task. `python3 -m bootstrap --help` describes them. Set variables in the command: make up STACK=staging
PYTHON ?= python3
export STACK TORCH STORE

.DEFAULT_GOAL := help
.PHONY: help setup up down report test faults check audit docs status

help:  ## show this text
	@$(PYTHON) -m bootstrap --help

setup up down test faults check audit docs status:
	@$(PYTHON) -m bootstrap $@

report:  # `make report HTML=report.html` saves the page
	@$(PYTHON) -m bootstrap report $(if $(HTML),html=$(HTML)) $(if $(DEPLOYED),deployed)
