# `make demo` and `make test` do all their own set-up, in .venv.

PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin

# A sourced ROS installation must not mix with the one in .venv.
unexport PYTHONPATH PYTHONHOME LD_LIBRARY_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
unexport RMW_IMPLEMENTATION ROS_DISTRO
export AMENT_PREFIX_PATH := $(VENV)

ifneq ($(words $(CURDIR)),1)
$(error make cannot work in a folder with a blank in its path: $(CURDIR))
endif

.PHONY: help setup tools test quick lint docs tutorials demo faults lock clean
help:
	@echo 'make setup                 what runs the package into .venv; does nothing when up to date'
	@echo 'make tools                 what tests it and builds its site as well'
	@echo 'make test                  linters, types, the site, tests, coverage of the core'
	@echo 'make quick                 linters and the tests without ROS, under a minute'
	@echo 'make lint                  linters, types, contracts between rooms'
	@echo 'make docs                  the site of docs/, into out/site, without a warning'
	@echo 'make tutorials             run every page of docs/tutorials'
	@echo 'make demo                  simulate, replay, train and score three areas'
	@echo 'make demo SESSIONS=DIR     the same on imported sessions'
	@echo 'make demo ROUNDS=N         longer or shorter'
	@echo 'make demo LIVE=1           simulated phones and a camera, heard by real drivers'
	@echo 'make faults                kills, hostile input, full disk, soak: the table of docs/reliability.md'
	@echo 'make faults SOAK=SECONDS   with a soak of another length than an hour'
	@echo 'make lock                  resolve the dependencies of pyproject.toml anew'
	@echo 'make clean                 remove .venv and everything made in it'
	@echo 'PYTHON=python3.12          the interpreter that .venv is made with'

# The lock is on this folder, so two runs at once take turns, with or without git.
setup:
	@flock . $(MAKE) -s $(VENV)/.built

# An environment that was moved, or whose interpreter is gone, is made again.
ifneq ($(and $(wildcard $(BIN)/python),$(shell cat $(VENV)/.packages 2>/dev/null)),$(VENV))
.PHONY: $(VENV)/.packages
endif

$(VENV)/.packages: requirements.lock
	@echo 'Installing packages into .venv (minutes, the first time)'
	@[ "$$(cat $@ 2>/dev/null)" = '$(VENV)' ] || { tools/prerequisites.sh $(PYTHON) . && \
		"$$($(PYTHON) -c 'import sys; print(sys._base_executable)')" -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@echo $(VENV) > $@

CMAKE_FLAGS := -G Ninja -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja -DPython3_EXECUTABLE=$(BIN)/python \
	-DCMAKE_PREFIX_PATH=$(VENV) -DCMAKE_INSTALL_PREFIX=$(VENV) -DCMAKE_BUILD_TYPE=Release \
	-DBUILD_TESTING=OFF -DAMENT_CMAKE_SYMLINK_INSTALL=ON

# A folder changes when a room, or a file in it, comes or goes.
$(VENV)/.built: $(VENV)/.packages CMakeLists.txt package.xml utt_ros launch config $(wildcard cmake/* msg/* srv/* action/*)
	@echo 'Building the interfaces'
	@{ export PATH="$(BIN):$$PATH" && cmake -S . -B $(VENV)/build $(CMAKE_FLAGS) \
		&& cmake --build $(VENV)/build && cd $(VENV)/build && cmake --install .; } > $(VENV)/build.log 2>&1 \
		|| { tail -n 30 $(VENV)/build.log; echo 'The whole log is in .venv/build.log'; exit 1; }
	@touch $@

# Linters, test tools and those of the site come when they are first needed.
tools: setup
	@flock . $(MAKE) -s $(VENV)/.tools

$(VENV)/.tools: $(VENV)/.packages requirements-dev.lock
	@echo 'Installing the tools of tests and documents into .venv'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.lock
	@touch $@

lint: tools
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

# Rooms whose tests are all slow or use ROS: not even imported.
UNQUICK := bridge cli demo evaluation examples flower launch nodes training
quick: tools
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not ros and not slow' $(UNQUICK:%=--ignore=test/%)

# With the long and the live ones, which `make test` leaves out.
tutorials: tools
	$(BIN)/python -m pytest -q test/test_tutorials.py

docs: tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo out/site/index.html

# A live test that fails is repeated once, and the summary names it (test/conftest.py).
test: lint docs
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not nightly' --reruns 1 --rerun-show-tracebacks \
		--durations=10 --cov --cov-report=term

demo: setup
	$(BIN)/utt demo $(if $(SESSIONS),--sessions '$(SESSIONS)') $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(LIVE),--live)

faults: setup
	$(BIN)/utt bench faults $(if $(SOAK),--soak $(SOAK))

# The tools to build wheels are locked together with what the package needs when it runs. torch
# names its CUDA packages exactly, and a CPU build of the same release needs none: they stay out.
PLAIN_LOCK := sed -E "/^(nvidia|cuda|triton)/d; s/ and [ps][a-z]+_.*//; s/ ; python_full_version < '3.15'$$//"
lock: setup
	$(BIN)/python -m pip install -q uv
	$(BIN)/python -c "import tomllib; \
		print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
		| $(BIN)/uv pip compile -q pyproject.toml - --extra evaluation --extra view --extra setup -o $(VENV)/lock
	(echo '# Made by `make lock` for Python 3.10 to 3.14 on Linux, x86-64.'; \
		$(PLAIN_LOCK) $(VENV)/lock) > requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --all-extras -c requirements.lock -o $(VENV)/lock-dev
	(echo '# What `make tools` adds to requirements.lock. Made by `make lock`.'; \
		$(PLAIN_LOCK) $(VENV)/lock-dev | grep -vxFf requirements.lock) > requirements-dev.lock
	(echo '# What a ROS installation lacks or has too old. Made by `make lock`.'; \
		grep -E '^(aiohttp|edgefirst-tracker|filterpy|jinja2|matplotlib|mcap|onnx|onnxruntime|pandas|rich|rosbags|safetensors|torch|viser|zstandard)==' requirements.lock; \
		echo '# The messages of Jazzy are compiled against numpy 1.'; \
		echo "numpy<2 ; python_version == '3.12'") > requirements.txt

clean:
	rm -rf $(VENV) out .coverage .mypy_cache .pytest_cache .ruff_cache
