// The invented demo county: areas, organisations, people, enterprises, equipment, devices and points, read from
// packs/*/demo/*.json and put in through the same door as everyone's records (flow_create). Called once by core/ at the
// first start under --demo; any thread but the store's writer.
#pragma once

#include "base/base.h"
#include "base/err.h"
#include "model/model.h"
#include "store/store.h"

// Number of persons in the store: 0 = nothing was put in yet.
enum err demo_is_filled(struct db *db, const struct registry *reg, int64_t *ret_people) must_check;

// Fills the store in one job (about 4,500 records) and writes, each whole or not at all:
//   DIR/demo/devices.tsv  mode 0600: what the simulator needs to speak as the devices, their keys included (sim/devices.h)
//   DIR/demo/map.json     bounds, areas and layers for the map
// ERR_INVALID with the file and what is wrong in it if a data file does not fit; nothing is stored then. dir: the data folder.
enum err demo_fill(struct store *s, const struct registry *reg, const char *dir, struct problem *p) must_check;

// Key of the n-th device (from 1) in its protocol's form: HJ 212 MN of 24 hex digits, GB/T 26875.3 source address of 12,
// else PLANT-KEY. ret must hold 64 bytes.
void demo_device_code(const char *protocol, const char *plant, const char *key, unsigned n, char ret[64]);
