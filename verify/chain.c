// The walk over the entries. Each is judged against the stored digest of the one before, so that one altered entry is one
// finding and not all that follow; a chain that holds in itself but not with an anchor kept elsewhere was rewritten.
#include "verify/verify.h"

struct walk {
	struct verdict *v;
	const struct anchor *anchors;
	size_t nanchors, next;      // anchors[next] is the first one not passed yet
	int64_t seq;                // of the entry before
	uint8_t hash[SM3_LEN];      // its stored digest
	bool known;                 // whether there is one to go by
	int64_t good;               // newest anchor that fits
	int64_t bad;                // oldest one that does not, 0 = none
	size_t altered;             // since the anchor before
};

static void gap(struct walk *w, int64_t seq)
{
	if (seq <= w->seq) {
		verdict_add(w->v, INCOMPLETE, "审计记录 %lld 排在 %lld 之后：次序被打乱", "entry %lld stands after %lld: they are out of order",
		            (long long)seq, (long long)w->seq);
		return;
	}
	if (seq == w->seq + 2)
		verdict_add(w->v, INCOMPLETE, "审计记录 %lld 缺失%.0s", "entry %lld is missing%.0s", (long long)seq - 1, "");
	else
		verdict_add(w->v, INCOMPLETE, "审计记录 %lld 至 %lld 缺失", "entries %lld to %lld are missing", (long long)w->seq + 1, (long long)seq - 1);
}

static void meet_anchor(struct walk *w, int64_t seq, const uint8_t hash[SM3_LEN])
{
	for (; w->next < w->nanchors && w->anchors[w->next].seq <= seq; w->next++) {
		const struct anchor *a = &w->anchors[w->next];
		if (a->seq < seq)
			continue; // its entry is missing: said by gap()
		if (memcmp(a->hash, hash, SM3_LEN) == 0) {
			if (!w->bad)
				w->good = seq;
		} else if (!w->bad) {
			w->bad = seq;
			verdict_add(w->v, REWRITTEN, "审计记录 %lld 与外部锚（%s）不符：%lld 之后到 %lld 之间的链被重写过；最后一个相符的锚是 %lld",
			            "entry %lld does not fit the anchor kept elsewhere (%s): after entry %lld and up to %lld the chain was rewritten; the last anchor that fits is %lld",
			            (long long)seq, arena_cstr(w->v->arena, a->from), (long long)w->good, (long long)seq, (long long)w->good);
		}
	}
}

static void step(struct walk *w, const struct entry *e)
{
	uint8_t computed[SM3_LEN];
	bool follows = w->known && e->e.seq == w->seq + 1;
	if (w->seq && e->e.seq != w->seq + 1)
		gap(w, e->e.seq);
	memcpy(computed, w->hash, SM3_LEN);
	if (follows)
		chain_entry_hash(&e->e, computed);
	if (!e->hash_ok || (follows && memcmp(computed, e->hash, SM3_LEN) != 0))
		verdict_add(w->v, ALTERED, "审计记录 %lld 被改动（内容与摘要不符）%.0s", "entry %lld is altered: it does not fit its digest%.0s", (long long)e->e.seq, "");
	meet_anchor(w, e->e.seq, e->hash);
	w->seq = MAX(w->seq, e->e.seq);
	w->known = e->hash_ok;
	memcpy(w->hash, e->hash, SM3_LEN);
}

void chain_check(struct source *s, struct verdict *v, const struct anchor *anchors, size_t nanchors, struct chain *ret)
{
	struct arena *a on_scope_exit(arena_freep) = arena_new(64 << 10);
	struct walk w = { .v = v, .anchors = anchors, .nanchors = nanchors };
	struct entry e;
	*ret = (struct chain){ 0 };
	while (source_next(s, &e, a)) {
		if (!ret->first) {
			ret->first = e.e.seq;
			w.known = e.e.seq == 1; // the first follows 32 zero bytes; of a later beginning nothing is known
			w.seq = e.e.seq - 1;
			if (s->db && e.e.seq != 1) {
				w.seq = 0;
				gap(&w, e.e.seq);
				w.seq = e.e.seq - 1;
			}
		}
		step(&w, &e);
		arena_reset(a);
	}
	ret->last = w.seq;
	memcpy(ret->head, w.hash, SM3_LEN);
	for (; w.next < w.nanchors; w.next++)
		if (anchors[w.next].seq > w.seq)
			verdict_add(v, INCOMPLETE, "在 %lld 之后被截断：外部锚（%s）证明有过记录 %lld",
			            "cut off after entry %lld: an anchor kept elsewhere (%s) says there was an entry %lld", (long long)w.seq,
			            arena_cstr(v->arena, anchors[w.next].from), (long long)anchors[w.next].seq);
}
