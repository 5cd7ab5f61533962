// A file of evidence to take away (案卷): a ZIP that is read without this program. Its members are named with their SM3
// (GB/T 32905-2016) in SM3SUMS.txt; the SM3 of that list is in the audit entry of the export, and the entry, with the chain's
// digests before and after it, is in manifest.json: whoever keeps a later anchor of the chain can prove that nothing in the file was
// changed (doc/decisions/0017-replay.md). For api/ only; one thread.
#pragma once

#include <limits.h>

#include "api/api.h"
#include "exchange/bundle.h"
#include "store/audit.h"

struct casefile {
	struct call *c;
	struct bundle *b;
	int64_t at;             // us, of the export
	struct audit_entry entry; // action, type, record: by the caller before casefile_end
	char digest[2 * SM3_LEN + 1]; // of SM3SUMS.txt
	char before[65], after[65]; // digests of the chain around the entry
	char path[PATH_MAX];
};

enum err casefile_begin(struct casefile *f, struct call *c) must_check;
enum err casefile_member(struct casefile *f, const char *name, struct str bytes) must_check;
// SM3SUMS.txt, the audit entry and the manifest. detail: an open object of JSON for the entry that the caller has begun; sm3sums and
// the address are added and it is ended.
enum err casefile_end(struct casefile *f, struct buf *detail, struct jw *w) must_check;
enum err casefile_answer(struct casefile *f, struct str name) must_check;
void casefile_free(struct casefile *f);
// What README.txt says of how to verify, in both languages.
void casefile_how(struct buf *b, const char *example);
