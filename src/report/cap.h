// Common Alerting Protocol 1.2 (OASIS Standard, 1 July 2010; ITU-T X.1303 bis): a release of a record as an alert in Chinese and
// English. Pure: everything is in the message, as it was when it was released. Any thread.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct cap_ref { struct str identifier; int64_t sent; }; // an earlier message about the same record; us
struct cap_message {
	struct str sender, sender_name; // sender: as a mail address, no blanks, commas, < or &
	struct str identifier;      // unique among the sender's; no blanks, commas, < or &
	int64_t sent;               // us; said to the second, in the site's zone
	struct str msg;             // release_name(): alert update upgrade downgrade cancel
	struct str facts;           // JSON of flow/release.c (struct release_row)
	const struct cap_ref *refs; // oldest first
	size_t nrefs;
};
// "YJ-2026-00001-2": the number of the record and of its release; what an identifier may not hold becomes "-".
struct str cap_identifier(struct str number, int64_t seq, struct arena *a);
// Appends the XML. ERR_CORRUPT if facts is no JSON object.
enum err cap_write(struct buf *b, const struct cap_message *m, struct arena *a) must_check;
