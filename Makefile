# SPDX-License-Identifier: MIT
# The front door.  CMake builds trees under build/, CTest runs their tests; HACKING.md says more.
# Variables: PREFIX (install), ROWS and RUNS (bench), SOAK (rounds of make soak), JOBS.
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local
SOAK   ?= 20
TREES   = build/release build/asan build/tsan build/clang build/soak \
	build/aarch64 build/aarch64-some build/musl build/musl-some
# What nohup, or a script in the background, has ignored would be so in the tests, some of which die of it.
SIGNALS = $(shell env --default-signal true 2>/dev/null && echo env --default-signal)
CTEST   = $(SIGNALS) ctest --output-on-failure --no-tests=error -j$(JOBS)
NEEDS   = build
FLAGS_asan  = -DLEAT_SANITIZE=asan
FLAGS_tsan  = -DLEAT_SANITIZE=tsan -DCMAKE_C_COMPILER=clang
FLAGS_clang = -DCMAKE_C_COMPILER=clang
FLAGS_soak  = -DLEAT_SOAK=ON
FLAGS_aarch64 = -DCMAKE_TOOLCHAIN_FILE=$(CURDIR)/cmake/aarch64-linux-gnu.cmake
FLAGS_musl    = -DCMAKE_TOOLCHAIN_FILE=$(CURDIR)/cmake/musl.cmake
# Enough of another CPU, and of another C library, to see that they work; some seconds each.
SOME = arch/arch_test|os/unwind_test|api/(go_start|panic|mutex)|litmus/switch
FLAGS_aarch64-some = $(FLAGS_aarch64) '-DLEAT_TESTS=$(SOME)'
FLAGS_musl-some    = $(FLAGS_musl) '-DLEAT_TESTS=$(SOME)'

all: build/release

$(TREES):
	@tools/setup $(NEEDS)
	@mkdir -p $@
	@flock $@ cmake --log-level=NOTICE -S . -B $@ $(FLAGS_$(@F))
	@flock $@ cmake --build $@ $(ONLY) -j$(JOBS) -- -k --no-print-directory

# One CTest run over several trees, so that one summary counts everything.
build/tsan build/clang test check: NEEDS += test
build/aarch64 build/aarch64-some test: NEEDS += aarch64
build/musl build/musl-some test: NEEDS += musl
test: build/release build/asan build/tsan build/aarch64-some build/musl-some
	@mkdir -p build/$@ && echo 'subdirs($(^:build/%=../%))' >build/$@/CTestTestfile.cmake
	@$(CTEST) --test-dir build/$@
check: build/asan build/tsan build/clang
	@mkdir -p build/$@ && echo 'subdirs($(^:build/%=../%))' >build/$@/CTestTestfile.cmake
	@$(CTEST) --test-dir build/$@
check-aarch64 check-musl: check-%: build/%
	@$(CTEST) --test-dir $<
# Each program at 5 settings (1, 2, 4, 8 processors; fenced): 20 rounds are 100 runs of it.
soak: build/soak
	@$(CTEST) --test-dir build/soak -LE full --repeat until-fail:$(SOAK)
	@$(CTEST) --test-dir build/soak -L full

demo: ONLY = --target examples
demo: build/release
	@tools/demo build/release
bench: NEEDS += bench
bench: build/release
	@ROWS="$(ROWS)" RUNS="$(RUNS)" bench/run
curves: NEEDS += bench
curves: build/release
	@bench/curves/run
install: build/release
	@cmake --install build/release --prefix $(PREFIX)
lint: NEEDS += lint
lint: build/release
	@tools/lint build/release
fmt:
	@tools/setup lint
	@tools/format
clean:
	@rm -rf build

.PHONY: all test check check-aarch64 check-musl soak demo bench curves install lint fmt clean $(TREES)
.NOTPARALLEL:
