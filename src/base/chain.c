#include "base/chain.h"

#include <stdlib.h>

#include "base/time.h"

static void add_i64(struct sm3 *h, int64_t v)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)((uint64_t)v >> (8 * i));
	sm3_add(h, b, sizeof(b));
}

void chain_entry_hash(const struct chain_entry *e, uint8_t hash[SM3_LEN])
{
	struct sm3 h;
	sm3_init(&h);
	sm3_add(&h, hash, SM3_LEN);
	add_i64(&h, e->seq);
	add_i64(&h, e->at);
	add_i64(&h, e->actor);
	add_i64(&h, e->record);
	sm3_add_str(&h, e->actor_name);
	sm3_add_str(&h, e->action);
	sm3_add_str(&h, e->type);
	sm3_add_str(&h, e->detail);
	if (e->has_row)
		sm3_add(&h, e->row, SM3_LEN);
	sm3_end(&h, hash);
}

// ---- rows --------------------------------------------------------------------------------------
static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct chain_column *)a)->name, ((const struct chain_column *)b)->name);
}

static bool says_nothing(const struct chain_column *c)
{
	return c->kind == 0 || str_starts(c->name, STR("search")) || str_is(c->name, "reminded") ||
	       ((c->kind == 't' || c->kind == 'b') && c->s.n == 0);
}

void chain_row_hash(struct chain_column *cols, size_t n, uint8_t ret[SM3_LEN])
{
	struct sm3 h;
	qsort(cols, n, sizeof(*cols), by_name);
	sm3_init(&h);
	for (size_t i = 0; i < n; i++) {
		const struct chain_column *c = &cols[i];
		int64_t bits = c->i;
		if (says_nothing(c))
			continue;
		sm3_add_str(&h, c->name);
		sm3_add(&h, &c->kind, 1);
		if (c->kind == 'r')
			memcpy(&bits, &c->f, sizeof bits);
		if (c->kind == 'i' || c->kind == 'r')
			add_i64(&h, bits);
		else
			sm3_add_str(&h, c->s);
	}
	sm3_end(&h, ret);
}

// ---- anchors -----------------------------------------------------------------------------------
struct str chain_anchor_line(int64_t seq, const uint8_t hash[SM3_LEN], int64_t at, struct arena *a)
{
	char hex[2 * SM3_LEN], when[TIME_TEXT_MAX];
	str_to_hex(hash, SM3_LEN, hex);
	size_t n = time_text(at, when);
	return arena_printf(a, "anlan-anchor 1 %lld %.*s %.*s", (long long)seq, 2 * SM3_LEN, hex, (int)n, when);
}

static bool seq_and_hash(struct str seq, struct str hash, int64_t *ret_seq, uint8_t ret_hash[SM3_LEN])
{
	return hash.n >= 2 * SM3_LEN && str_to_i64(seq, ret_seq) && *ret_seq > 0 && str_from_hex(str_first(hash, 2 * SM3_LEN), ret_hash, SM3_LEN);
}

// The word that ends right before the end of s.
static struct str last_digits(struct str s)
{
	size_t n = 0;
	while (n < s.n && s.p[s.n - 1 - n] >= '0' && s.p[s.n - 1 - n] <= '9')
		n++;
	return str_from(s.p + s.n - n, n);
}

bool chain_anchor_read(struct str line, int64_t *ret_seq, uint8_t ret_hash[SM3_LEN])
{
	for (size_t i = 1; i + 2 * SM3_LEN < line.n; i++)
		if ((line.p[i] == ':' || line.p[i] == ' ') &&
		    seq_and_hash(last_digits(str_first(line, i)), str_skip(line, i + 1), ret_seq, ret_hash))
			return true;
	return false;
}
