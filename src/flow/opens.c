// Records that a move, a trigger or a schedule opens from another record: same transaction, same thread, linked, with area, enterprise
// and sector of the record they come from. Called in store jobs.
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

enum err open_linked(const struct change *ch, const struct opens *o, const struct type *from_type, const struct row *from,
                     const json_t *line, int64_t deadline, int64_t *ret_id)
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

static enum err opened(const struct change *ch, const struct opens *o, const struct row *row, const json_t *line)
{
	int64_t id;
	enum err err = open_linked(ch, o, ch->t, row, line, 0, &id);
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
		err = opened(ch, o, row, json_array_get(rows, i));
	json_decref(rows);
	return err;
}

static enum err all_opened(const struct change *ch, const struct opens *v, size_t n, const struct row *row)
{
	enum err err = OK;
	for (size_t i = 0; !err && i < n; i++)
		err = v[i].each ? each_row(ch, &v[i], row) : opened(ch, &v[i], row, NULL);
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
