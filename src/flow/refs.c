// What a record takes from others: references must exist and be visible to the caller; area and enterprise are copied
// from the record the type names. Called by flow.c in store jobs.
#include "flow/draft.h"

static enum err record_check(struct db *db, const struct type *to, const struct field *f, int64_t id, const struct identity *by,
                             struct arena *a, struct problem *p)
{
	struct row row;
	if (!to)
		return field_wrong(p, f, ERR_BUG, "所引用的类型不存在", "refers to a type that does not exist");
	if (!auth_may_read(by, to))
		return field_wrong(p, f, ERR_FORBIDDEN, "无权引用这类记录", "you may not refer to records of this kind");
	struct scope scope = auth_scope(by, to);
	enum err err = records_get(db, &to->table, &scope, id, a, &row);
	if (err == ERR_NOT_FOUND || (!err && row.c.retired))
		return field_wrong(p, f, ERR_INVALID, "所选的记录不存在，或不在你的范围内",
		                   "the chosen record does not exist or is outside your area");
	return err;
}

static enum err ref_check(struct db *db, const struct registry *reg, const struct field *f, int64_t id,
                          const struct identity *by, struct arena *a, struct problem *p)
{
	return record_check(db, registry_type(reg, f->to), f, id, by, a, p);
}

static enum err origin_check(struct db *db, const struct registry *reg, const struct field *f, struct str text,
                             const struct identity *by, struct arena *a, struct problem *p)
{
	const struct type *to;
	int64_t id = 0;
	return record_check(db, origin_parse(reg, text, &to, &id) ? to : NULL, f, id, by, a, p);
}

static enum err area_check(struct db *db, const struct registry *reg, const struct field *f, struct str code,
                           const struct identity *by, struct arena *a, struct problem *p)
{
	struct row row;
	const struct type *areas = registry_type(reg, STR("area"));
	if (!auth_in_scope(by, (struct place){ code, by->scope.enterprise, STR_EMPTY }))
		return field_wrong(p, f, ERR_INVALID, "不在你的区域内", "is outside your area");
	if (!areas || !type_field(areas, STR("code")))
		return OK;
	enum err err = records_find(db, &areas->table, NULL, STR("code"), (struct value){ .kind = VAL_TEXT, .s = code }, a, &row);
	if (err == ERR_NOT_FOUND)
		return field_wrong(p, f, ERR_INVALID, "没有这个区划代码", "there is no such area code");
	return err;
}

static enum err refs_list_check(struct db *db, const struct registry *reg, const struct field *f, const struct value *v,
                                const struct identity *by, struct arena *a, struct problem *p)
{
	int64_t *ids;
	enum err err = OK;
	size_t n = value_ids(v, a, &ids);
	for (size_t i = 0; !err && i < n; i++)
		err = ref_check(db, reg, f, ids[i], by, a, p);
	return err;
}

// References and areas in the columns of a table.
static enum err rows_check(struct db *db, const struct registry *reg, const struct field *f, const struct value *v,
                           const struct identity *by, struct arena *a, struct problem *p)
{
	json_t *rows = value_rows(v);
	enum err err = OK;
	for (size_t k = 0; k < f->ncolumns; k++) {
		const struct field *col = &f->columns[k];
		const char *name = arena_cstr(a, col->name);
		for (size_t i = 0; !err && i < json_array_size(rows); i++) {
			const json_t *cell = json_object_get(json_array_get(rows, i), name);
			if (cell && col->kind == FIELD_REF)
				err = ref_check(db, reg, col, json_integer_value(cell), by, a, p);
			else if (cell && col->kind == FIELD_AREA)
				err = area_check(db, reg, col, str_of(json_string_value(cell)), by, a, p);
			if (err && !p->err)
				problem_set(p, err, "", "所引用的记录读不出来", "a record it refers to cannot be read");
			if (err)
				p->field = arena_printf(p->arena, "%.*s.%zu.%.*s", STR_FMT(f->name), i, STR_FMT(col->name));
		}
	}
	json_decref(rows);
	return err;
}

enum err refs_check(struct db *db, const struct registry *reg, struct draft *d, const struct identity *by,
                    struct arena *a, struct problem *p)
{
	for (size_t i = 0; i < d->t->nfields; i++) {
		const struct field *f = &d->t->fields[i];
		const struct value *v = draft_slot(d, f);
		enum err err = OK;
		if (!d->given[i] || v->kind == VAL_NULL)
			continue;
		if (f->kind == FIELD_REF)
			err = ref_check(db, reg, f, v->i, by, a, p);
		else if (f->kind == FIELD_REFS)
			err = refs_list_check(db, reg, f, v, by, a, p);
		else if (f->kind == FIELD_ORIGIN)
			err = origin_check(db, reg, f, v->s, by, a, p);
		else if (f->kind == FIELD_ROWS)
			err = rows_check(db, reg, f, v, by, a, p);
		else if (f->kind == FIELD_AREA && !(str_is(d->t->name, "area") && by->system))
			err = area_check(db, reg, f, v->s, by, a, p);
		if (err)
			return err;
	}
	return OK;
}

// The common columns of the record a field refers to; all empty if it refers to none.
static enum err common_of(struct db *db, const struct registry *reg, struct draft *d, const struct field *f,
                          struct arena *a, struct common *ret)
{
	struct row row;
	const struct value *v = draft_slot(d, f);
	const struct type *to = registry_type(reg, f->to);
	*ret = (struct common){ .area = STR_EMPTY };
	if (!to || v->kind != VAL_INT)
		return OK;
	enum err err = records_get(db, &to->table, NULL, v->i, a, &row);
	if (!err)
		*ret = row.c;
	return err == ERR_NOT_FOUND ? OK : err;
}

static struct str text_of(const struct value *v)
{
	return v->kind == VAL_TEXT ? v->s : STR_EMPTY;
}

static enum err derive_area(struct db *db, const struct registry *reg, struct draft *d, struct common *c, struct arena *a)
{
	const struct field *from = type_field(d->t, d->t->area_from);
	const struct field *own = type_field(d->t, STR("area"));
	struct common other;
	if (str_is(d->t->name, "area") && type_field(d->t, STR("code"))) {
		c->area = text_of(draft_slot(d, type_field(d->t, STR("code")))); // an area belongs to itself
		return OK;
	}
	if (own && own->ncols == 0)
		c->area = text_of(&d->area);
	if (!from)
		return OK;
	if (from->kind == FIELD_AREA) {
		c->area = text_of(draft_slot(d, from));
		return OK;
	}
	enum err err = common_of(db, reg, d, from, a, &other);
	if (!err && other.area.n)
		c->area = other.area;
	return err;
}

static enum err derive_enterprise(struct db *db, const struct registry *reg, struct draft *d, struct common *c,
                                  bool fresh, struct arena *a, struct str *ret_area)
{
	const struct field *from = type_field(d->t, d->t->enterprise_from);
	const struct field *own = type_field(d->t, STR("enterprise"));
	struct common other;
	if (str_is(d->t->name, "enterprise")) {
		if (fresh)
			c->enterprise = ENTERPRISE_SELF;
		return OK;
	}
	if (own && own->ncols == 0)
		c->enterprise = d->enterprise.kind == VAL_INT ? d->enterprise.i : 0;
	if (!from)
		return OK;
	enum err err = common_of(db, reg, d, from, a, &other);
	c->enterprise = str_is(from->to, "enterprise") ? other.id : other.enterprise;
	*ret_area = other.area;
	return err;
}

// Its own field, the field or record that sector_from names, or that of the enterprise it is of.
static enum err derive_sector(struct db *db, const struct registry *reg, struct draft *d, struct common *c, struct arena *a)
{
	const struct field *own = type_field(d->t, STR("sector"));
	const struct field *named = type_field(d->t, d->t->sector_from);
	const struct field *from = named ? named : type_field(d->t, d->t->enterprise_from);
	struct common other;
	if (own && own->ncols == 0) {
		c->sector = text_of(&d->sector);
		return OK;
	}
	if (named && named->kind == FIELD_MENU) {
		c->sector = text_of(draft_slot(d, named));
		return OK;
	}
	if (!from || from->kind != FIELD_REF)
		return OK;
	enum err err = common_of(db, reg, d, from, a, &other);
	if (!err && other.sector.n)
		c->sector = other.sector;
	return err;
}

enum err common_derive(struct db *db, const struct registry *reg, struct draft *d, struct common *c,
                       const struct identity *by, bool fresh, struct arena *a, struct problem *p)
{
	const struct field *title = type_field(d->t, d->t->title);
	struct str area = STR_EMPTY;
	if (title)
		c->title = text_of(draft_slot(d, title));
	if (fresh && c->enterprise == 0)
		c->enterprise = by->scope.enterprise;
	enum err err = derive_enterprise(db, reg, d, c, fresh, a, &area);
	if (!err)
		err = derive_area(db, reg, d, c, a);
	if (!err)
		err = derive_sector(db, reg, d, c, a);
	if (err)
		return problem_set(p, err, "", "所引用的记录读不出来", "a record it refers to cannot be read");
	if (c->area.n == 0)
		c->area = area.n ? area : fresh ? area_whole(by->scope.area, a) : c->area;
	struct common at = *c;
	if (at.enterprise == ENTERPRISE_SELF)
		at.enterprise = 0;
	if (!row_in_scope(by, d->t, &at))
		return problem_set(p, ERR_FORBIDDEN, "", "这条记录不属于你的区域或企业", "this record is not of your area or enterprise");
	return OK;
}
