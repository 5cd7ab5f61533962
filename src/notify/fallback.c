// A notice that a channel gave up goes out by the channel that stands in for it. Inside the job that notes the failure: a crash
// neither loses nor repeats it. One step and no further: what was taken over is not handed on.
#include "notify/notify_int.h"

#define TAKEN_OVER ">"          // at the end of its mergekey, so that it joins no message of the channel's own

struct given_up {
	struct str kind, mergekey, type;
	int64_t person, record, parts;
	bool urgent;
};

static enum err read_message(struct db *db, int64_t id, struct arena *a, struct given_up *ret)
{
	struct query q;
	bool found = false;
	query_begin(&q, db, STMT_OUTMSG_HEAD);
	query_i64(&q, 1, id);
	if (query_row(&q)) {
		found = true;
		*ret = (struct given_up){ .kind = query_get_str(&q, 0, a), .person = query_get_i64(&q, 1), .mergekey = query_get_str(&q, 2, a),
			                  .type = query_get_str(&q, 3, a), .record = query_get_i64(&q, 4), .urgent = query_get_i64(&q, 5) != 0,
			                  .parts = query_get_i64(&q, 6) };
	}
	enum err err = query_end(&q);
	return err ? err : found ? OK : ERR_NOT_FOUND;
}

static enum err hand_over(struct db *db, const struct registry *reg, const struct channel *to, const struct given_up *g, int64_t from,
                          int64_t now, struct arena *a)
{
	struct person p;
	struct query q;
	int64_t id;
	enum err err = person_read(db, reg, g->person, a, &p);
	if (err)
		return err == ERR_NOT_FOUND ? OK : err;
	struct str address = person_address(&p, to->kind, arena_printf(a, ",%.*s,", STR_FMT(to->kind)));
	if (!address.n || (to->urgent_only && !g->urgent))
		return OK;
	struct new_message m = { .via = STR(VIA_CHANNEL), .channel = to->id, .kind = g->kind, .address = address,
		                 .person = g->person, .type = g->type, .record = g->record, .parts = g->parts, .urgent = g->urgent,
		                 .mergekey = arena_printf(a, "%.*s" TAKEN_OVER, STR_FMT(g->mergekey)) };
	m.next_at = g->urgent ? now : notify_quiet_end(p.quiet_from, p.quiet_to, now);
	if ((err = message_add(db, &m, now, a, &id)))
		return err;
	query_begin(&q, db, STMT_OUTMSG_PARTS_COPY);
	query_i64(&q, 1, from);
	query_i64(&q, 2, id);
	return query_run(&q);
}

enum err fall_back(struct db *db, const struct registry *reg, const struct channel *chs, size_t nchs, const struct outcome *o, int64_t now,
                   struct arena *a)
{
	const struct channel *own = channel_find(chs, nchs, o->ch.via, o->ch.id);
	const struct channel *to = own && own->fallback ? channel_find(chs, nchs, STR(VIA_CHANNEL), own->fallback) : NULL;
	struct given_up g;
	if (!to || to == own || !to->enabled || !str_is(o->ch.via, VIA_CHANNEL))
		return OK;
	enum err err = read_message(db, o->id, a, &g);
	if (err || !str_is(g.kind, "notice") || str_ends(g.mergekey, STR(TAKEN_OVER)))
		return err == ERR_NOT_FOUND ? OK : err;
	return hand_over(db, reg, to, &g, o->id, now, a);
}
