# `make demo` and `make test` do all their own set-up in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup

.PHONY: setup test demo lint clean
setup:
	@flock .git/setup.lock $(MAKE) --no-print-directory $(STAMP)

$(VENV)/.packages: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq -r requirements.txt
	touch $@

$(STAMP): $(VENV)/.packages CMakeLists.txt package.xml $(wildcard msg/*.msg) $(shell find utt_ros launch config -type d)
	AMENT_PREFIX_PATH=$(CURDIR)/$(VENV) $(BIN)/cmake -S . -B $(VENV)/build -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja -DCMAKE_PREFIX_PATH=$(CURDIR)/$(VENV) -DCMAKE_INSTALL_PREFIX=$(CURDIR)/$(VENV) -DBUILD_TESTING=OFF -DAMENT_CMAKE_SYMLINK_INSTALL=1 -DPython3_EXECUTABLE=$(CURDIR)/$(BIN)/python > $(VENV)/build.log 2>&1 && PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/cmake --build $(VENV)/build >> $(VENV)/build.log 2>&1 && $(BIN)/cmake --install $(VENV)/build >> $(VENV)/build.log 2>&1 || { tail -30 $(VENV)/build.log; exit 1; }
	touch $@

test: setup
	$(BIN)/pytest

demo: setup
	$(BIN)/utt demo

clean:
	rm -rf $(VENV) out
