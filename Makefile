# Developer targets. `./run` and `./test` are what a user needs; this is what they call.
#
#   make                build/anlan and build/anlan-sim (optimised, hardened)
#   make unit           unit tests under ASan+UBSan (T=name for one)
#   make tsan           the tests that start threads, under TSan
#   make fuzz           fuzz targets (clang, libFuzzer); FUZZ_SECONDS=n runs each for n seconds
#   make ui             the browser application, into build/ui
#   make clean
# B=dir builds somewhere else than build/.

B       ?= build
CC      := gcc
LIBS    := -lexif -lmicrohttpd -lyaml -ljansson -lsqlite3 -largon2 -lseccomp -lssl -lcrypto -lcurl -lldap -llber -lzip -lz -lexpat -lpthread -lm
# documents: layout, fonts, QR codes, merging; spreadsheets
LIBS    += -lxlsxwriter -lpangocairo-1.0 -lpango-1.0 -lgobject-2.0 -lglib-2.0 -lcairo -lfontconfig -lqrencode -lqpdf
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wnull-dereference -Wno-format-nonliteral -Werror
PRINT   := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I pangocairo))
BASE    := -std=gnu17 -g -Isrc -I. -D_GNU_SOURCE -fno-omit-frame-pointer $(WARN) $(PRINT)
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDHARD  := -pie -Wl,-z,relro,-z,now
OPT     := -O2 -msse4.2
# the tests' own builds: lines are all that a report names, and gold links faster
LINES   := -O1 -g1
GOLD    := $(if $(shell command -v ld.gold),-fuse-ld=gold)
SANFLAGS := $(LINES) -fsanitize=address,undefined -fno-sanitize-recover=undefined -DANLAN_TEST
TSANFLAGS := $(LINES) -fsanitize=thread -DANLAN_TEST
FUZZFLAGS := $(LINES) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DANLAN_TEST
# clang knows other warnings; the gcc build is the one that must be silent
FUZZBASE := -std=gnu17 -g -Isrc -I. -D_GNU_SOURCE -fno-omit-frame-pointer -Wall -Wextra -Werror $(PRINT)

ifeq ($(shell uname -m),aarch64)
OPT     := -O2 -march=armv8-a+crc
endif

SRC     := $(shell find src packs -name '*.c' 2>/dev/null)
SIM     := $(wildcard sim/*.c)
OBJ     := $(SRC:%.c=$(B)/obj/%.o)
VERIFY  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard verify/*.c))
SIMOBJ  := $(SIM:%.c=$(B)/obj/%.o)
# the simulator shares only what does not know the server
SIMDEPS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard src/base/*.c))

all: $(B)/anlan $(B)/anlan-sim $(B)/anlan-verify

$(B)/anlan: $(OBJ)
	@mkdir -p $(@D)
	@$(CC) $(LDHARD) -o $@ $^ $(LIBS) && echo "  LINK $@"
$(B)/anlan-sim: $(SIMOBJ) $(SIMDEPS)
	@$(CC) $(LDHARD) -o $@ $^ $(LIBS) && echo "  LINK $@"

# the verifier judges the server: it shares base/ and nothing else
$(B)/anlan-verify: $(VERIFY) $(SIMDEPS)
	@mkdir -p $(@D)
	@$(CC) $(LDHARD) -o $@ $^ -lsqlite3 -lcrypto -lpthread -lm && echo "  LINK $@"

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(BASE) $(OPT) $(HARDEN) -MMD -MP -c -o $@ $<
$(B)/asan/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(BASE) $(SANFLAGS) -MMD -MP -c -o $@ $<
$(B)/tsano/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(BASE) $(TSANFLAGS) -MMD -MP -c -o $@ $<
$(B)/fuzzo/%.o: %.c
	@mkdir -p $(@D)
	@clang $(FUZZBASE) $(FUZZFLAGS) -MMD -MP -c -o $@ $<

# A test names the folders of src/ it may use in a line `// needs: base series`: it links those and nothing else,
# so a test cannot reach across floors either.
# model brings risk along: it checks models: of a type against the models there are.
folders = $(sort $(1) $(if $(filter model,$(1)),risk))
needs = $(patsubst %.c,$(1)/%.o,$(foreach d,$(call folders,$(shell sed -n 's,^// needs: ,,p' $(2))),$(wildcard src/$(d)/*.c)))

UNIT    := $(if $(T),$(T:%=tests/unit/test_%.c),$(wildcard tests/unit/test_*.c))
# the long ones first, so that the other processor is not idle at the end
first    = $(filter %_series %_series_rolls,$(1)) $(filter-out %_series %_series_rolls,$(1))
UNITBIN := $(call first,$(UNIT:tests/unit/%.c=$(B)/unit/%))
TSAN    := $(shell grep -l '^// threads' tests/unit/test_*.c 2>/dev/null)
TSANBIN := $(call first,$(TSAN:tests/unit/%.c=$(B)/tsan/%))
FUZZ    := $(if $(T),$(T:%=tests/fuzz/fuzz_%.c),$(wildcard tests/fuzz/fuzz_*.c))
FUZZBIN := $(FUZZ:tests/fuzz/%.c=$(B)/fuzz/%)

.SECONDEXPANSION:
$(B)/unit/%: $(B)/asan/tests/unit/%.o $$(call needs,$(B)/asan,tests/unit/$$*.c)
	@mkdir -p $(@D)
	@$(CC) $(GOLD) -fsanitize=address,undefined -o $@ $^ -lcmocka $(LIBS)
$(B)/tsan/%: $(B)/tsano/tests/unit/%.o $$(call needs,$(B)/tsano,tests/unit/$$*.c)
	@mkdir -p $(@D)
	@$(CC) $(GOLD) -fsanitize=thread -o $@ $^ -lcmocka $(LIBS)
$(B)/fuzz/%: $(B)/fuzzo/tests/fuzz/%.o $$(call needs,$(B)/fuzzo,tests/fuzz/$$*.c)
	@mkdir -p $(@D)
	@clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

# The fuzz targets without a fuzzer, counting what their corpora reach (tools/fuzz-coverage).
$(B)/cov/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(BASE) -O0 --coverage -MMD -MP -c -o $@ $<
$(B)/cov/fuzz_%: $(B)/cov/tests/fuzz/fuzz_%.o $(B)/cov/tests/fuzz/replay.o $$(call needs,$(B)/cov,tests/fuzz/fuzz_$$*.c)
	@$(CC) --coverage -o $@ $^ $(LIBS)

# The server itself under ASan+UBSan, for the tests that talk to it.
$(B)/anlan-asan: $(SRC:%.c=$(B)/asan/%.o)
	@$(CC) $(GOLD) -fsanitize=address,undefined -o $@ $^ $(LIBS) && echo "  LINK $@"
asan: $(B)/anlan-asan

unit: $(UNITBIN)
	@tools/run-all "timeout 600" $(UNITBIN)
unit-bin: $(UNITBIN)
tsan-bin: $(TSANBIN)
tsan: $(TSANBIN)
	@TSAN_OPTIONS=halt_on_error=1 tools/run-all "timeout 900" $(TSANBIN)
fuzz-bin: $(FUZZBIN)
FUZZ_SECONDS ?= 10
fuzz: $(FUZZBIN)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/run-all tools/fuzz-one $(FUZZBIN)

# devices of the tests that are made of other people's libraries
$(B)/peers/%: tests/peers/%.c
	@mkdir -p $(@D)
	@$(CC) -O1 -Wall -Wextra -o $@ $< -lmodbus
peers: $(patsubst tests/peers/%.c,$(B)/peers/%,$(wildcard tests/peers/*.c))

ui:
	@cd ui && npm ci --no-audit --no-fund --silent && npm run --silent build

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all asan unit unit-bin tsan tsan-bin fuzz fuzz-bin peers ui clean
.SECONDARY:
