// The texts a registry is made of: every YAML file of every pack, those the program ships with and the county's own over
// them. Read at start-up, by `anlan check` and for each change, in any thread; everything lives in the caller's arena.
#pragma once

#include "base/hash.h"
#include "model/model.h"

struct pack_text {
	struct str pack, folder, name; // hazard, types, hazard.yaml
	struct str file;               // as messages name it
	struct str text;
	bool own;                      // the county's own, not shipped
};

struct pack_texts {
	struct arena *arena;
	struct pack_text *v;
	size_t n, cap;
};

// Adds every pack below dir (or dir itself, if it is one pack). A file that is there already under the same pack, folder
// and name is replaced; an own file without content leaves the shipped one out. d gets what cannot be read and folders
// whose name is nearly one of ours; d may be NULL.
void pack_texts_read(struct pack_texts *t, struct str dir, bool own, struct diags *d);
// path: "hazard/types/hazard.yaml". An empty text takes the file out.
void pack_texts_put(struct pack_texts *t, struct str path, struct str text, bool own);
const struct pack_text *pack_texts_find(const struct pack_texts *t, struct str path);
struct str pack_text_path(const struct pack_text *t, struct arena *a);
// Three names of the dialect with .yaml behind the last, the middle one a folder that packs have.
bool pack_path_ok(struct str path);
// Order does not matter: they are kept sorted by pack, folder and name.
bool pack_texts_same(const struct pack_texts *a, const struct pack_texts *b);
void pack_texts_digest(const struct pack_texts *t, uint8_t ret[SM3_LEN]);
