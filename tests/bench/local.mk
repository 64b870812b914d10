# tests/bench: measurements, run by hand and never part of `make check`; each builds what it needs by itself.
EXTRA_DIST += tests/bench/audit tests/bench/get tests/bench/load.c tests/bench/mhd-server.c tests/bench/raw-get.c tests/bench/raw-server.c \
	tests/bench/rounds.c tests/bench/server tests/bench/soak tests/bench/soak.py
