# make run | stack | test | faults | check | bundle | bench | pictures | lock | help. Nothing is needed but make and Python 3.11 or later.
# make run PORT=8001 GATEWAY_PORT=9443 STATE_DIR=/somewhere PYTHON=/path/to/python3.12
# make test FILE=tests/portal/test_projects.py runs one file.

PY = .venv/bin/python
FILE =

# Given on make's command line, they count as well as from the environment.
export PYTHON PORT STATE_DIR GATEWAY_PORT GATEWAY_PROD_PORT

.PHONY: help run stack test faults check bundle bench pictures lock

help:
	@echo "make run    start the site: http://localhost:8000 (PORT=8001, GATEWAY_PORT=9443 and STATE_DIR=/path choose others)"
	@echo "make stack  start it as in production: PostgreSQL, Redis, nginx, several processes; its data is in var/stack (STATE_DIR=/path chooses another)"
	@echo "make test   run the tests; FILE=tests/config/test_env.py runs one file"
	@echo "make faults   break the stack part by part, and look whether anything is lost; FILE=faults/test_web.py runs one file"
	@echo "make check  lint, types, imports, templates, migrations, pins, bundles"
	@echo "make bundle   build the browser's code anew: browser/ into static/js/"
	@echo "make bench  measure"
	@echo "make pictures   take the pictures in docs/images anew"
	@echo "make lock   pin the libraries anew after a change in pyproject.toml"

run:
	@sh tools/setup.sh requirements.txt
	@$(PY) -m config.run

stack:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/stack.sh $(if $(STATE_DIR),"$(STATE_DIR)")

test:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/setup_node.sh
	@sh tools/test.sh $(FILE)

faults:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/faults.sh $(FILE)

check:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/setup_node.sh
	@sh tools/check.sh

bundle:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/setup_node.sh
	@.venv/bin/node tools/build_browser.mjs

bench:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/stack_packages.sh wrk
	@$(PY) -m bench

pictures:
	@sh tools/setup.sh requirements-dev.txt
	@$(PY) -m tools.take_pictures

lock:
	@sh tools/setup.sh requirements-dev.txt
	@sh tools/lock.sh
