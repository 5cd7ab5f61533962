#include "flow/lot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"

static int by_ticket(const void *x, const void *y)
{
	const struct ticket *a = x, *b = y;
	int d = memcmp(a->hash, b->hash, SM3_LEN);
	return d ? d : (a->id > b->id) - (a->id < b->id);
}

static void ticket(struct str seed, struct str what, int64_t id, int k, uint8_t ret[SM3_LEN])
{
	char text[224];
	int len = snprintf(text, sizeof text, k > 1 ? "%.*s:%.*s:%lld:%d" : "%.*s:%.*s:%lld", STR_FMT(seed), STR_FMT(what), (long long)id, k);
	sm3_once(str_from(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1), ret);
}

void lot_draw(struct str seed, struct str what, struct ticket *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ticket(seed, what, v[i].id, 1, v[i].hash);
		for (int k = 2; k <= v[i].many; k++) {
			uint8_t more[SM3_LEN];
			ticket(seed, what, v[i].id, k, more);
			if (memcmp(more, v[i].hash, SM3_LEN) < 0)
				memcpy(v[i].hash, more, SM3_LEN);
		}
	}
	if (n)
		qsort(v, n, sizeof *v, by_ticket);
}

enum err lot_seed(struct db *db, struct str type, int64_t id, struct arena *a, int64_t *ret_entry, char ret[LOT_SEED])
{
	struct audit_entry *v;
	size_t n;
	enum err err = audit_list(db, type, id, 0, 1, a, &v, &n);
	if (err || !n)
		return err ? err : ERR_BUG;
	*ret_entry = v[0].seq;
	return audit_hash_at(db, v[0].seq, ret);
}
