// Several alarms, one record: an alarm that belongs to a record which is open joins it instead of opening another (gather: of
// a type). Called in store jobs.
#include "base/time.h"
#include "flow/change.h"

static const struct value *given(const struct flow_field *fields, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(name, fields[i].name))
			return &fields[i].v;
	return NULL;
}

enum err flow_gathers(struct db *db, const struct type *t, const struct flow_field *fields, size_t nfields, struct arena *a,
                      int64_t *ret_id, struct problem *p)
{
	struct filter *f = arena_many(a, t->gather.nby + 1, struct filter);
	struct row *rows;
	size_t n = 0;
	*ret_id = 0;
	for (size_t i = 0; i < t->gather.nby; i++) {
		const struct value *v = given(fields, nfields, t->gather.by[i]->name);
		if (!v || v->kind == VAL_NULL)
			return OK;
		f[i] = (struct filter){ t->gather.by[i]->name, FILTER_EQ, v, 1 };
	}
	f[t->gather.nby] = type_open_states(t, a);
	if (t->gather.nby == 0)
		return OK;
	struct list_query lq = { .text = STR_EMPTY, .filters = f, .nfilters = t->gather.nby + 1, .limit = 1 }; // newest first
	enum err err = records_list(db, &t->table, NULL, &lq, a, &rows, &n, NULL, p);
	*ret_id = !err && n ? rows[0].c.id : 0;
	return err;
}

static int rank(const struct menu *m, struct str value)
{
	for (size_t i = 0; m && i < m->nitems; i++)
		if (str_eq(m->items[i].value, value))
			return (int)i;
	return -1;
}

// Before its first release the record follows its highest alarm; afterwards its level is a person's decision.
static enum err follow_level(const struct change *ch, struct row *row, struct str level)
{
	const struct field *f = ch->t->release.level ? ch->t->release.level : type_field(ch->t, STR("level"));
	struct release_row *released;
	size_t n = 0;
	struct draft d;
	enum err err = ch->t->release.matrix ? flow_releases(ch->db, ch->t, row->c.id, ch->a, &released, &n) : OK;
	if (err || n || !f || !f->menu)
		return err;
	struct str now = row->vals[f->col].kind == VAL_TEXT ? row->vals[f->col].s : STR_EMPTY;
	if (rank(f->menu, level) < 0 || rank(f->menu, level) >= rank(f->menu, now)) // the items stand highest first
		return OK;
	struct common c = row->c;
	draft_begin(&d, ch->t, row, ch->a);
	*draft_slot(&d, f) = (struct value){ .kind = VAL_TEXT, .s = level };
	deadline_follow(ch->reg, ch->t, row, &c, d.vals, clock_now());
	err = change_save(ch, row, &d, &c, "update", STR_EMPTY, LABEL_EMPTY);
	*row = (struct row){ .c = c, .vals = d.vals };
	return err;
}

enum err flow_join(struct db *db, const struct registry *reg, const struct type *t, int64_t id, struct str level, int64_t alarm,
                   struct label text, struct arena *a, struct problem *p)
{
	struct identity system = identity_system();
	struct change ch = { db, reg, t, &system, a, p };
	struct row row;
	enum err err = change_load(&ch, id, &row);
	if (!err)
		err = follow_level(&ch, &row, level);
	if (err)
		return err;
	const struct state *s = type_state(t, row.c.state);
	struct label say = { arena_printf(a, "又有报警并入%.*s %.*s：%.*s", STR_FMT(t->label.zh), STR_FMT(row.c.number), STR_FMT(text.zh)),
		             arena_printf(a, "Another alarm joins %.*s %.*s: %.*s", STR_FMT(t->label.en), STR_FMT(row.c.number), STR_FMT(text.en)) };
	struct audience au = { .reg = reg, .t = t, .row = &row, .kind = "duty", .text = say };
	err = s ? flow_tell(db, &au, s->who, s->nwho, a) : OK;
	if (!err)
		err = history_add(db, t, id, "joined", STR_EMPTY, arena_printf(a, "{\"alarm\":%lld,\"level\":\"%.*s\"}", (long long)alarm, STR_FMT(level)),
		                  &system);
	change_announce(&ch, "updated", &row.c);
	return err;
}
