// The core process: owns the data. Threads:
//   T_SERIES  (the process' first thread, ingest.c)  readings → history and alarm conditions → acknowledgements
//   writer    (store/)                               the one writer of records, alarms, audit
//   T_DEVICE  (devices.c)                            answers devices that say who they are
//   T_EVENTS  (events.c)                             publishes changes, deadlines, shelves; reloads points
//   HTTP workers (http/)                             read; post jobs to the writer; wait
#pragma once

#include "base/base.h"
#include "base/str.h"

struct ring;

struct core_config {
	const char *data_dir, *packs_dir, *ui_dir, *county;
	const char *anchor_dir; // besides DIR/anchors; NULL = none
	int http_fd;                    // bound and listening
	struct ring *from_gate, *to_gate;
	int dial_fd;                    // the core's end of bus/pass.h
	struct str cert, key;           // PEM for HTTPS, or empty
	int answer_s;                   // a device that answers commands is asked again after so long
	const char *address;            // to print
	const char *site_url;           // --url, or address: what stands on documents
	const char *fonts;              // --font: families for documents, or NULL
	bool demo;                      // --demo; roles without password only if loopback
	bool loopback;                  // every listener is on loopback
	bool announce;                  // first start of this parent: print address and password
};

#define CORE_EXIT_CONFIG 78         // packs or data are not usable: restarting will not help

// Never returns; ends with exit status 0 after SIGTERM.
_Noreturn void core_run(const struct core_config *cfg);

// A point from its record, without the sector of its enterprise; texts are the row's. ERR_TOO_LARGE: its id is beyond LIMIT_POINTS.
struct type;
struct row;
struct site_point;
enum err site_point_read(const struct type *t, const struct row *row, struct site_point *ret) must_check;
