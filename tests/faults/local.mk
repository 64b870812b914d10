# tests/faults: what goes wrong around the programs; docs/faults.md lists each with its outcome
fault_tests = \
	tests/faults/clock.t \
	tests/faults/core.t \
	tests/faults/descriptors.t \
	tests/faults/disk-full.t \
	tests/faults/flapping.t \
	tests/faults/hup-storm.t \
	tests/faults/kill.t \
	tests/faults/memory.t \
	tests/faults/slow-peers.t
TESTS += $(fault_tests)
EXTRA_DIST += $(fault_tests) tests/faults/memory.py

# Loaded in front of a program: a program by what automake knows, a shared object by its flags.
check_PROGRAMS += tests/faults/failing-alloc.so
tests_faults_failing_alloc_so_SOURCES = tests/faults/failing-alloc.c
tests_faults_failing_alloc_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_faults_failing_alloc_so_LDFLAGS = -shared

check_PROGRAMS += tests/faults/moved-clock.so
tests_faults_moved_clock_so_SOURCES = tests/faults/moved-clock.c
tests_faults_moved_clock_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_faults_moved_clock_so_CPPFLAGS = -D_GNU_SOURCE
tests_faults_moved_clock_so_LDFLAGS = -shared

check_PROGRAMS += tests/faults/pretend
tests_faults_pretend_SOURCES = tests/faults/pretend.c tests/faults/old-kernel.h
