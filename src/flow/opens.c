// Records that a move, a trigger or a schedule opens from another record: same transaction, same thread, linked, with area, enterprise
// and sector of the record they come from; for: one for each enterprise (or whatever its field refers to) there. Called in store jobs.
#include "base/limits.h"
#include "flow/change.h"
#include "model/exprs.h"

enum err assign_put(const struct change *ch, const struct assign *as, const struct type *from_type, const struct row *from,
                    const json_t *line, struct draft *to)
{
	struct value *slot = draft_slot(to, as->field);
	const json_t *cell = as->column ? json_object_get(line, arena_cstr(ch->a, as->column->name)) : NULL;
	if (as->column)
		return cell ? value_read(as->field, cell, slot, ch->a, ch->p) : OK;
	if (as->expr) {
		struct expr_value v = flow_eval(ch->db, ch->reg, from_type, as->expr, from, ch->by, ch->a, NULL);
		*slot = flow_store_value(as->field, v, ch->a);
		return OK;
	}
	if (draft_word(as->field, as->text, ch->by, ch->a, slot))
		return problem_set(ch->p, ERR_INVALID, "", "“%.*s”不能写入字段“%.*s”", "\"%.*s\" does not fit the field \"%.*s\"",
		                   STR_FMT(as->text), STR_FMT(as->field->label.zh));
	return OK;
}

static struct value text_value(struct str s) { return (struct value){ .kind = s.n ? VAL_TEXT : VAL_NULL, .s = s }; }

// Fields that are the common columns of these names, unless the assignments say otherwise.
static void inherit(struct draft *d, const struct row *from)
{
	const struct field *f;
	if ((f = type_field(d->t, STR("area"))) && f->ncols == 0)
		d->area = text_value(from->c.area);
	if ((f = type_field(d->t, STR("sector"))) && f->ncols == 0)
		d->sector = text_value(from->c.sector);
	if ((f = type_field(d->t, STR("enterprise"))) && f->ncols == 0 && from->c.enterprise)
		d->enterprise = (struct value){ .kind = VAL_INT, .i = from->c.enterprise };
}

// subject: what the field `across` refers to, or 0.
static enum err open_for(const struct change *ch, const struct opens *o, const struct type *from_type, const struct row *from,
                         const json_t *line, int64_t subject, int64_t deadline, int64_t *ret_id)
{
	struct identity system = identity_system();
	struct change in = *ch;
	struct common c = common_empty();
	struct draft d;
	in.t = o->type;
	draft_begin(&d, o->type, NULL, ch->a);
	inherit(&d, from);
	*draft_slot(&d, o->link) = o->link->kind == FIELD_ORIGIN ?
	        (struct value){ .kind = VAL_TEXT, .s = origin_text(from_type->name, from->c.id, ch->a) } :
	        (struct value){ .kind = VAL_INT, .i = from->c.id };
	d.given[o->link - o->type->fields] = true;
	if (subject) {
		*draft_slot(&d, o->across) = (struct value){ .kind = VAL_INT, .i = subject };
		d.given[o->across - o->type->fields] = true;
	}
	enum err err = OK;
	for (size_t i = 0; !err && i < o->nfields; i++) {
		d.given[o->fields[i].field - o->type->fields] = true;
		err = assign_put(&in, &o->fields[i], from_type, from, line, &d);
	}
	if (!err)
		err = draft_defaults(&d, ch->by, ch->a, ch->p);
	c.state = o->type->nstates ? o->type->states[0].name : STR_EMPTY;
	draft_settle(ch->db, ch->reg, &d, &c, ch->by, ch->a);
	if (!err) // the workflow opens it, whatever the mover's own scope
		err = common_derive(ch->db, ch->reg, &d, &c, &system, true, ch->a, ch->p);
	c.area = c.area.n ? c.area : from->c.area;
	c.enterprise = c.enterprise ? c.enterprise : from->c.enterprise;
	c.sector = c.sector.n ? c.sector : from->c.sector;
	c.thread = from->c.thread;
	c.deadline = deadline;
	if (!err)
		err = change_insert(&in, &d, &c);
	*ret_id = c.id;
	return err;
}

enum err open_linked(const struct change *ch, const struct opens *o, const struct type *from_type, const struct row *from,
                     const json_t *line, int64_t deadline, int64_t *ret_id)
{
	return open_for(ch, o, from_type, from, line, 0, deadline, ret_id);
}

static enum err opened(const struct change *ch, const struct opens *o, const struct row *row, const json_t *line, int64_t subject)
{
	int64_t id;
	enum err err = open_for(ch, o, ch->t, row, line, subject, 0, &id);
	if (err)
		return err;
	struct str detail = arena_printf(ch->a, "{\"type\":\"%.*s\",\"id\":%lld}", STR_FMT(o->type->name), (long long)id);
	return history_add(ch->db, ch->t, row->c.id, "open", o->type->name, detail, ch->by);
}

static enum err each_row(const struct change *ch, const struct opens *o, const struct row *row)
{
	const struct value *v = o->each->ncols ? &row->vals[o->each->col] : NULL;
	json_t *rows = v && v->kind == VAL_TEXT ? json_loadb(v->s.p, v->s.n, 0, NULL) : NULL;
	enum err err = OK;
	for (size_t i = 0; !err && i < json_array_size(rows); i++)
		err = opened(ch, o, row, json_array_get(rows, i), 0);
	json_decref(rows);
	return err;
}

// One for each record that lies in the area of this one and, if this one has a sector, in its sector. A type without an area is
// a catalogue: it holds everywhere.
static enum err for_each_subject(const struct change *ch, const struct opens *o, const struct row *row)
{
	struct value area = { .kind = VAL_TEXT, .s = area_prefix(row->c.area) };
	const bool catalogue = !o->subject->area_from.n && !type_field(o->subject, STR("area"));
	struct filter here[2];
	size_t nhere = 0;
	if (!catalogue)
		here[nhere++] = (struct filter){ STR("area"), FILTER_PREFIX, &area, 1 };
	if (o->same)
		here[nhere++] = (struct filter){ o->same_there->name, FILTER_EQ, &row->vals[o->same->col], 1 };
	struct list_query lq = { .filters = here, .nfilters = nhere, .cond = opens_cond(ch->reg, o, ch->by, ch->a), .limit = LIMIT_OPENS + 1 };
	struct row *v;
	size_t n = 0;
	int64_t total;
	if (o->same && row->vals[o->same->col].kind == VAL_NULL)
		return OK;
	enum err err = records_list(ch->db, &o->subject->table, NULL, &lq, ch->a, &v, &n, &total, ch->p);
	if (!err && n > LIMIT_OPENS)
		return problem_set(ch->p, ERR_TOO_LARGE, "area", "一次最多推给 %d 家，请缩小区域", "at most %d at once; choose a smaller area", LIMIT_OPENS);
	for (size_t i = 0; !err && i < n; i++)
		if (catalogue || !row->c.sector.n || str_eq(row->c.sector, v[i].c.sector))
			err = opened(ch, o, row, NULL, v[i].c.id);
	return err;
}

static enum err all_opened(const struct change *ch, const struct opens *v, size_t n, const struct row *row)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++)
		err = v[i].each ? each_row(ch, &v[i], row) : v[i].across ? for_each_subject(ch, &v[i], row) : opened(ch, &v[i], row, NULL, 0);
	return err;
}

enum err move_opens(const struct change *ch, const struct move *m, const struct row *row)
{
	return all_opened(ch, m->opens, m->nopens, row);
}

enum err triggers_fire(const struct change *ch, const struct row *old, const struct row *row)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < ch->t->ntriggers; i++) {
		const struct trigger *g = &ch->t->triggers[i];
		if (flow_holds(ch->db, ch->reg, ch->t, g->when, row, ch->by, ch->a) &&
		    !(old && flow_holds(ch->db, ch->reg, ch->t, g->when, old, ch->by, ch->a)))
			err = all_opened(ch, g->opens, g->nopens, row);
	}
	return err;
}
