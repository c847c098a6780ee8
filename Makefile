# Hearsay: the whole build in one file, for GNU make.  `make help` lists what it can do.
#
# Everything made lies under build/, or under B=elsewhere: a flavour (another compiler, a sanitizer)
# gets a folder of its own, so that no object of one ever ends up in the other.  Folders are the
# unit of the build: a new .c file in one of them needs no line here.

# --- what you may set ---------------------------------------------------------------------------

B            ?= build
CFLAGS       ?=
LDFLAGS      ?=
DESTDIR      ?=
PREFIX       ?= /usr/local
BINDIR       ?= $(PREFIX)/bin
SBINDIR      ?= $(PREFIX)/sbin
LIBDIR       ?= $(PREFIX)/lib
INCLUDEDIR   ?= $(PREFIX)/include
MANDIR       ?= $(PREFIX)/share/man
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
UNITDIR      ?= $(PREFIX)/lib/systemd/system
PKG_CONFIG   ?= pkg-config
JOBS         ?= $(shell nproc 2>/dev/null || echo 2)
TEST_SECONDS ?= 120
FUZZ_SECONDS ?= 60

# All processors, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory

# Goals that build nothing need no library and leave no file behind.
BUILDS := $(filter-out help deps clean format uninstall,$(or $(MAKECMDGOALS),all))

# In `make clean all` the folder goes before the first stamp is written to it.
ifeq ($(abspath $(B)),$(CURDIR))
$(error B must be a folder of its own)
endif
ifneq ($(and $(filter clean,$(MAKECMDGOALS)),$(BUILDS)),)
$(shell rm -rf $(B))
endif

# --- what must be there -------------------------------------------------------------------------

# The goals a newcomer types first install what is missing; every other one names it and stops.
# This happens while the file is read, because the lines below ask pkg-config.
ifneq ($(BUILDS),)
  MISSING := $(shell CC='$(CC)' tests/deps.sh missing)
  ifneq ($(MISSING),)
    ifeq ($(filter check% demo bench experiments fuzz%,$(BUILDS)),)
      $(error missing Debian packages: $(MISSING); `make deps` installs them)
    endif
    ifneq ($(lastword $(shell CC='$(CC)' tests/deps.sh install >&2; echo $$?)),0)
      $(error missing Debian packages: $(MISSING))
    endif
  endif
endif

# --- flags --------------------------------------------------------------------------------------

define newline


endef

# $(call keep,FILE,TEXT) writes TEXT to FILE only if it says something else; what depends on FILE
# is made again exactly when the text changes.
keep = $(if $(subst <$(2)>,,<$(file <$(1))>),$(shell mkdir -p $(dir $(1)))$(file >$(1),$(2)))

# $(call probe,FLAGS) keeps those that the compiler takes without a word, in a real program, on top
# of the user's flags: fortify, for one, complains without optimisation.
probe = $(shell for flag in $(1); do \
	printf '\043include <string.h>\nint main(void) { return 0; }\n' | $(CC) $(OPTIMISE) $(CFLAGS) \
	    -Wall -Werror -fPIC -pie $$flag -x c - -o /dev/null 2>/dev/null && printf '%s ' $$flag; done)

WARN_WANTED := -Wall -Wextra -Wformat=2 -Wconversion -Wimplicit-fallthrough -Wshadow -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wtrampolines -Wbidi-chars=any \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion

# The first line takes from the compiler what it could conclude from a mistake of ours.
HARDEN_WANTED := -fno-strict-overflow -fno-strict-aliasing -fno-delete-null-pointer-checks
ifndef SANITIZE
HARDEN_WANTED += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection=full -mbranch-protection=standard \
	-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
endif

LINK_WANTED := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed

# A sanitizer sees less when the compiler has fortified, zeroed or inlined first.
ifdef SANITIZE
OPTIMISE := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
else
OPTIMISE := -O2 -g
endif

ifneq ($(BUILDS),)
# Probing takes a second, so the answer is kept until the question changes.
QUESTION := $(shell $(CC) --version | head -n 1) $(CC) $(OPTIMISE) $(CFLAGS) $(WARN_WANTED) \
	$(HARDEN_WANTED) $(LINK_WANTED)
ifneq ($(QUESTION),$(file <$(B)/probe.question))
$(call keep,$(B)/probe.mk,WARN := $(call probe,$(WARN_WANTED))$(newline)HARDEN := $(call \
	probe,$(HARDEN_WANTED))$(newline)LINK := $(call probe,$(LINK_WANTED)))
$(call keep,$(B)/probe.question,$(QUESTION))
endif
include $(B)/probe.mk

LIBRARIES := libsodium lmdb libxxhash
MODULES   := $(LIBRARIES) libevent_core libevent_extra libevent_pthreads jansson miniupnpc
PC_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(MODULES))
# libnatpmp comes without a .pc file.
PC_LIBS   := $(shell $(PKG_CONFIG) --libs $(MODULES)) -lnatpmp
LIB_LIBS  := $(shell $(PKG_CONFIG) --libs $(LIBRARIES))
TEST_LIBS := $(shell $(PKG_CONFIG) --libs cmocka)
endif

# One set of objects serves the archive and the shared library, hence -fPIC; without interposition
# the compiler may still inline our own functions.  The prefix maps keep this machine's folders
# out of what is installed and make two builds in two places the same to the byte.
CORE_STD := -std=c11
HOST_STD := -std=c11 -D_GNU_SOURCE -pthread
STD       = $(CORE_STD)
COMPILE   = $(CC) $(STD) -Iinclude -I. $(PC_CFLAGS) $(OPTIMISE) $(WARN) $(if $(WERROR),-Werror) \
	-fPIC -fno-semantic-interposition $(HARDEN) \
	-ffile-prefix-map=$(abspath $(B))=build -ffile-prefix-map=$(B)/=build/ \
	-ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
LINKER    = $(CC) $(OPTIMISE) $(HARDEN) $(CFLAGS) -pthread $(LINK) $(LDFLAGS)

# --- version ------------------------------------------------------------------------------------

SOVERSION := 0
ifneq ($(BUILDS),)
# A tarball carries a file; a clone knows its tag, or at least its commit.
VERSION := $(or $(file <VERSION),$(patsubst v%,%,$(shell \
	git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null)),0.1.0-dev$(addprefix \
	+g,$(shell git rev-parse --short HEAD 2>/dev/null)))
endif

# --- what is built from what --------------------------------------------------------------------

CORE_SRC   := $(wildcard bloom/*.c nat/*.c src/wire/*.c src/walk/*.c src/sync/*.c src/node/*.c)
PORT_SRC   := $(wildcard src/port/*.c)
COMMON_SRC := $(wildcard src/common/*.c)
DAEMON_SRC := $(wildcard src/daemon/*.c)
CLI_SRC    := $(wildcard src/cli/*.c)
LAB_SRC    := $(wildcard src/lab/*.c src/lab/*/*.c)

# They are part of the program, as texts in a C file that is made.
EXPERIMENTS := $(sort $(wildcard src/lab/experiments/*.scenario))

# Under tests/ a program is a test_*.c (cmocka), a fuzz_*.c (a decoder and its inputs), the runner
# of the scenarios, or of tests/victim; any other .c there, or in bench/, helps those that ask for
# its symbols.
UNIT_SRC       := $(wildcard tests/*/test_*.c)
SCENARIO_SRC   := $(filter-out $(UNIT_SRC),$(wildcard tests/scenarios/*.c))
FUZZ_SRC       := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY_SRC     := $(wildcard tests/fuzz/replay.c)
BENCH_SRC      := $(wildcard bench/bench_*.c)
VICTIM_SRC     := $(wildcard tests/victim/*.c)
TEST_HELP_SRC  := $(filter-out $(UNIT_SRC) $(SCENARIO_SRC) $(FUZZ_SRC) $(REPLAY_SRC) \
	$(VICTIM_SRC),$(wildcard tests/*/*.c))
BENCH_HELP_SRC := $(filter-out $(BENCH_SRC),$(wildcard bench/*.c))

HOST_SRC := $(PORT_SRC) $(COMMON_SRC) $(DAEMON_SRC) $(CLI_SRC) $(LAB_SRC)
TEST_SRC := $(UNIT_SRC) $(SCENARIO_SRC) $(FUZZ_SRC) $(REPLAY_SRC) $(BENCH_SRC) $(VICTIM_SRC) \
	$(TEST_HELP_SRC) $(BENCH_HELP_SRC)
SOURCES  := $(CORE_SRC) $(HOST_SRC) $(TEST_SRC)

objects  = $(patsubst %.c,$(B)/obj/%.o,$(1))
programs = $(patsubst %.c,$(B)/%,$(1))

CORE   := $(B)/libcore.a
LIB    := $(B)/libhearsay.a
SHARED := $(B)/libhearsay.so.$(SOVERSION)
PC     := $(B)/hearsay.pc
COMMON := $(B)/libcommon.a
HELP   := $(B)/libtest.a
LAB    := $(B)/liblab.a

PROGRAMS := $(if $(DAEMON_SRC),$(B)/hearsayd) $(if $(CLI_SRC),$(B)/hearsay) \
	$(if $(LAB_SRC),$(B)/hearsay-lab)
UNIT     := $(call programs,$(UNIT_SRC))
SCENARIO := $(if $(SCENARIO_SRC),$(B)/tests/scenarios)
FUZZ     := $(call programs,$(FUZZ_SRC))
BENCH    := $(call programs,$(BENCH_SRC))
VICTIM   := $(if $(VICTIM_SRC),$(B)/tests/attacker $(B)/tests/unguarded)

HEADERS := $(wildcard include/hearsay/*.h)
MAN     := $(wildcard src/*.[1-9] src/*/*.[1-9])
UNITS   := $(wildcard src/daemon/*.service)

# --- targets ------------------------------------------------------------------------------------

.PHONY: all lib tests install uninstall check check-asan check-tsan fuzz fuzz-run bench \
	experiments demo deps format clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: lib $(PROGRAMS)                ## build the library, the daemon and the client
lib: $(LIB) $(SHARED) $(PC)         ## build the library alone
tests: all $(UNIT) $(SCENARIO) $(FUZZ) $(BENCH) $(VICTIM)  ## build all there is, run nothing

# $(call say,WORD) begins a recipe: V=1 shows commands, -s nothing, otherwise it is a line a file.
SILENT = $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS))))
say = $(if $(V),,@$(if $(SILENT),,printf '  %-5s %s\n' '$(1)' '$(@:$(B)/%=%)';)) mkdir -p $(@D) &&

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC) $(COMPILE) -MMD -MP -c -o $@ $<

$(B)/gen/experiments.c: src/lab/script/embed.sh $(EXPERIMENTS) $(B)/gen/experiments.list
	$(call say,GEN) sh $< $(EXPERIMENTS) >$@

$(B)/obj/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(call say,CC) $(COMPILE) -MMD -MP -c -o $@ $<

# The core is plain C11.  The rest may use POSIX and GNU names, and those few files that print the
# version include it as "version.h".
$(call objects,$(HOST_SRC) $(TEST_SRC)): STD = $(HOST_STD) -I$(B)/gen
$(call objects,$(HOST_SRC) $(TEST_SRC)): | $(B)/gen/version.h
$(call objects,$(TEST_SRC)): WARN += -Wno-missing-prototypes

%.a: $(B)/sources
	$(call say,AR) rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(CORE):            $(call objects,$(CORE_SRC))
$(LIB):             $(call objects,$(CORE_SRC) $(PORT_SRC))
$(COMMON):          $(call objects,$(COMMON_SRC))
$(HELP):            $(call objects,$(TEST_HELP_SRC))
$(LAB):             $(call objects,$(filter-out src/lab/main.c,$(LAB_SRC)) gen/experiments.c)
$(B)/libbench.a:    $(call objects,$(BENCH_HELP_SRC))

$(SHARED): $(call objects,$(CORE_SRC) $(PORT_SRC)) src/libhearsay.map $(B)/sources
	$(call say,LINK) $(LINKER) -shared -Wl,-soname,$(@F) -Wl,--version-script,src/libhearsay.map \
	    $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(filter %.o,$^) $(LIB_LIBS)
	$(if $(V),,@)ln -sf $(@F) $(B)/libhearsay.so

# Programs take the archive: they start without a library path and may use internal names.
link = $(call say,LINK) $(LINKER) -pie -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PC_LIBS) $(1)

$(B)/hearsayd:    $(call objects,$(DAEMON_SRC)) $(COMMON) $(LIB)
$(B)/hearsay:     $(call objects,$(CLI_SRC)) $(COMMON) $(LIB)
$(B)/hearsay-lab: $(call objects,src/lab/main.c) $(LAB) $(COMMON) $(LIB)
$(B)/hearsayd $(B)/hearsay $(B)/hearsay-lab:
	$(call link,-lm)

$(UNIT) $(FUZZ): $(B)/tests/%: $(B)/obj/tests/%.o $(HELP) $(LAB) $(COMMON) $(LIB)
$(SCENARIO): $(call objects,$(SCENARIO_SRC)) $(HELP) $(COMMON) $(LIB)
$(UNIT) $(SCENARIO):
	$(call link,$(TEST_LIBS) -lm)

# The second is a daemon whose checks can be switched off, to show that attacks need them.
UNGUARDED = $(shell sed -nE 's/.*__wrap_([a-z0-9_]+).*/-Wl,--wrap=\1/p' tests/victim/unguarded.c)
$(B)/tests/attacker: $(call objects,$(filter-out %/unguarded.c,$(VICTIM_SRC))) $(COMMON) $(LIB)
	$(call link)
$(B)/tests/unguarded: $(call objects,$(DAEMON_SRC) tests/victim/unguarded.c) $(COMMON) $(LIB)
	$(call link,$(UNGUARDED))

# Where libFuzzer is part of the flavour it brings main(); elsewhere replay.c feeds it files.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(FUZZ):
	$(call link,-fsanitize=fuzzer -lm)
else
$(FUZZ): $(call objects,$(REPLAY_SRC))
	$(call link,-lm)
endif

$(BENCH): $(B)/bench/%: $(B)/obj/bench/%.o $(B)/libbench.a $(COMMON) $(LIB)
	$(call link,-lm)

ifneq ($(BUILDS),)
$(call keep,$(B)/flags,$(QUESTION) $(COMPILE) $(HOST_STD) $(LINKER) $(PC_LIBS))
$(call keep,$(B)/sources,$(SOURCES))
$(call keep,$(B)/gen/experiments.list,experiments $(EXPERIMENTS))
$(call keep,$(B)/gen/version.h,$(newline)#define HSAY_VERSION "$(VERSION)")
endif

# @NAME@ in a template becomes the variable's value.
fill = sed $(foreach v,PREFIX BINDIR SBINDIR LIBDIR INCLUDEDIR VERSION,-e 's|@$(v)@|$($(v))|g')

$(PC): src/hearsay.pc.in $(B)/gen/version.h
	$(call say,GEN) $(fill) $< >$@

-include $(patsubst %.o,%.d,$(call objects,$(SOURCES) gen/experiments.c))

# --- install ------------------------------------------------------------------------------------

man_dir   = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))
INSTALLED = $(addprefix $(LIBDIR)/,libhearsay.a libhearsay.so libhearsay.so.$(SOVERSION)) \
	$(addprefix $(INCLUDEDIR)/hearsay/,$(notdir $(HEADERS))) $(PKGCONFIGDIR)/hearsay.pc \
	$(SBINDIR)/hearsayd $(BINDIR)/hearsay $(BINDIR)/hearsay-lab \
	$(foreach m,$(MAN),$(call man_dir,$(m))/$(notdir $(m))) \
	$(addprefix $(UNITDIR)/,$(notdir $(UNITS)))

install: all                        ## install below DESTDIR and PREFIX (/usr/local)
	install -d $(addprefix $(DESTDIR),$(LIBDIR) $(INCLUDEDIR)/hearsay $(PKGCONFIGDIR) $(SBINDIR) \
	    $(BINDIR) $(UNITDIR) $(sort $(foreach m,$(MAN),$(call man_dir,$(m)))))
	install -m 644 $(LIB) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/libhearsay.so
	install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/hearsay/
	$(fill) src/hearsay.pc.in >$(DESTDIR)$(PKGCONFIGDIR)/hearsay.pc
	$(if $(DAEMON_SRC),install -m 755 $(B)/hearsayd $(DESTDIR)$(SBINDIR)/)
	$(if $(CLI_SRC),install -m 755 $(B)/hearsay $(DESTDIR)$(BINDIR)/)
	$(if $(LAB_SRC),install -m 755 $(B)/hearsay-lab $(DESTDIR)$(BINDIR)/)
	$(foreach m,$(MAN),install -m 644 $(m) $(DESTDIR)$(call man_dir,$(m))/$(newline)	)
	$(foreach u,$(UNITS),$(fill) $(u) >$(DESTDIR)$(UNITDIR)/$(notdir $(u))$(newline)	)

uninstall:                          ## remove what `make install` installed
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	[ ! -d $(DESTDIR)$(INCLUDEDIR)/hearsay ] || rmdir $(DESTDIR)$(INCLUDEDIR)/hearsay

# --- tests --------------------------------------------------------------------------------------

# The scripts find what they test through these; a sanitizer stops at the first finding.
RUN_ENV = B='$(abspath $(B))' CC='$(CC)' MAKE='$(MAKE)' SANITIZE='$(SANITIZE)' \
	ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1

# A sanitizer changes what programs do, not what the sources say: these are for plain builds alone.
RULES = $(if $(SANITIZE),,rules: tests/tidy.sh tests/check-include.sh tests/check-headers.sh \
	tests/check-pure.sh tests/check-install.sh \
	manuals: $(MAN:%='mandoc -T lint -W warning %'))

# The end-to-end tests wait more than they compute, so that two run at once; those with a NAT for
# each of many daemons have the machine for themselves.
NAT_E2E = $(wildcard tests/e2e/nat_*.sh)
check: tests                        ## build and run every test
	@$(RUN_ENV) tests/run.sh -j $(JOBS) -t $(TEST_SECONDS) $(RULES) \
	    unit: $(UNIT) \
	    scenarios: $(SCENARIO:%='% $(wildcard tests/scenarios/*.scn)') \
	    corpus: $(foreach f,$(FUZZ),'$(f) $(call corpus,$(f))') \
	    e2e/2: $(filter-out $(NAT_E2E),$(wildcard tests/e2e/*.sh)) \
	    nat/1: $(NAT_E2E)

check-asan:                         ## the tests again under address and undefined sanitizers
	@$(MAKE) check B=$(B)/asan SANITIZE=address,undefined

check-tsan:                         ## the tests again under the thread sanitizer
	@$(MAKE) check B=$(B)/tsan SANITIZE=thread

corpus = tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $(1)))

fuzz:                               ## fuzz each decoder for FUZZ_SECONDS (60), keep what it finds
	@$(MAKE) fuzz-run B=$(B)/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined

# Each fuzzer works in a folder of its own; only inputs that reach new code join the corpus, and so
# does an input that crashes: from then on `make check` replays it.
fuzz-run: $(FUZZ:%=%.run)

%.run: %
	@echo '  FUZZ  $(notdir $<), $(FUZZ_SECONDS) seconds'; \
	mkdir -p $(call corpus,$<) $<.found && \
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -artifact_prefix=$(call corpus,$<)/ \
	    $<.found $(call corpus,$<) >$<.log 2>&1 || { cat $<.log; exit 1; }; \
	$< -merge=1 $(call corpus,$<) $<.found >$<.merge 2>&1 && tail -n 1 $<.log

bench: all $(BENCH)                 ## measure, each figure against a floor of the same run
	@$(RUN_ENV) bench/run.sh

experiments: all                    ## run all experiments of hearsay-lab, draw their report
	@$(RUN_ENV) bench/experiments.sh

# Twelve daemons on this machine, real input, and a table at the end.
export NODES INPUT STEP
demo: all                           ## run an overlay here; NODES= INPUT= STEP= vary it
	@$(RUN_ENV) tests/demo.sh

# --- housekeeping -------------------------------------------------------------------------------

deps:                               ## install the Debian packages, as root or by sudo
	@CC='$(CC)' tests/deps.sh install

format:                             ## clang-format every C file in place
	clang-format -i $(wildcard $(addsuffix /*.[ch],include/hearsay bloom nat src/* src/lab/* \
	    tests/* bench))

clean:                              ## remove the build folder
	$(if $(BUILDS),,rm -rf $(B))

help:                               ## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-12s%s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))
	@echo '  V=1 shows commands, WERROR=1 stops at warnings, B=dir builds elsewhere; the flags in use'
	@echo '  are in $(B)/flags.  CC CFLAGS LDFLAGS PREFIX DESTDIR and the install folders may be set.'
