// Inside the demo county: what demo.c (records, files), demo_people.c (areas, people, roster) and demo_plants.c
// (enterprises, equipment, devices, points) share. Everything runs in one store job, in the writer thread.
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "flow/flow.h"
#include "tool/demo.h"

#define DEMO_MAX_FILE (4u << 20)     // bytes of devices.tsv and map.json
#define DEMO_PLANT_FILES 16
#define DEMO_RECORD_FILES 64

struct demo {
	const struct registry *reg;
	struct db *db;
	struct arena *scratch;       // of one record; reset after it
	struct problem *p;
	struct identity system;
	int64_t now;                 // of the whole fill
	json_t *areas, *map, *people, *enterprises;
	json_t *plants[DEMO_PLANT_FILES];  // "plants" of each pack's plants.json
	size_t nplants;
	struct { char *path; json_t *json; } record_files[DEMO_RECORD_FILES]; // each pack's records.json, by the packs' names
	size_t nrecord_files;
	json_t *org_ids;             // key → record id
	json_t *person_ids;          // login → record id
	struct buf *tsv;             // devices.tsv
	unsigned devices, points;    // made so far
};

// A record of the type; takes over body. ret_id may be NULL.
enum err demo_create(struct demo *d, const char *type, json_t *body, int64_t *ret_id) must_check;
// A number in [-1, 1] that depends only on the text: the same county at each start.
double demo_jitter(const char *text);
const char *demo_text(const json_t *object, const char *key); // "" if absent
double demo_number(const json_t *object, const char *key, double fallback);
// A day as YYYY-MM-DD, in the site's zone; ret holds 11 bytes.
void demo_day(int64_t us, char ret[11]);

enum err demo_people(struct demo *d) must_check;       // areas, organisations, officials, roster
enum err demo_enterprises(struct demo *d) must_check;  // and all that belongs to them
enum err demo_records(struct demo *d) must_check;      // of packs/*/demo/records.json
enum err demo_history(struct demo *d) must_check;      // what the schedules have opened is mostly done
