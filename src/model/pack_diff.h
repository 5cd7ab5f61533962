// What is different between two sets of pack texts, key by key, for people to read before a change is put into force.
// Pure; any thread.
#pragma once

#include "model/pack_texts.h"

enum pack_change_what { PACK_ADDED, PACK_REMOVED, PACK_CHANGED };

struct pack_change {
	enum pack_change_what what;
	struct str pack, folder, name; // the file
	struct str key;                // "fields.cost.max"; empty: the whole file
	struct str old, now;           // in one line, at most LIMIT_DIFF_VALUE bytes; empty if there is none
};

// Order, comments and the form of the text make no difference. A text that is not YAML counts as changed in whole.
void pack_diff(const struct pack_texts *old, const struct pack_texts *now, struct arena *a, struct pack_change **ret, size_t *ret_n);
