# make demo   a local network, private programs, payment (needs Python 3.11 to 3.13, git and make; no compiler)
# make test   everything that is tested
# make bench  the measurements
# make lint   style, types, layers
# make setup  only the environment: .venv from requirements.lock

.POSIX:
.SUFFIXES:
.PHONY: demo test bench lint setup setup-dev warm lock clean

BENCHES = tests/bench/field_kernels.py tests/bench/mpc_mpyc.py tests/bench/mpc_robust.py tests/bench/mpc_abort.py tests/bench/mesh_channel.py tests/bench/market_demo.py tests/bench/verifiable_sharing.py tests/bench/mpc_data.py tests/bench/vm_speed.py tests/bench/groth16.py
QUORATE = .venv/bin/quorate
PYTHON_DEV = .venv/bin/python

demo: setup warm
	@$(QUORATE) demo $(ARGS)

test: setup-dev warm
	@sh deploy/contracts-check.sh
	@$(PYTHON_DEV) -m pytest -q $(ARGS)

bench: setup-dev warm
	@set -e; for file in $(BENCHES); do echo "== $$file"; $(PYTHON_DEV) "$$file" $(ARGS); done

lint: setup-dev
	@sh deploy/lint.sh

setup:
	@sh deploy/bootstrap.sh runtime

setup-dev:
	@sh deploy/bootstrap.sh dev

warm: setup
	@$(QUORATE) warm

lock:
	@sh deploy/lock.sh

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist contracts/out contracts/cache
