// drawing: of a type: a picture of the record with spots on it, each standing for another record and in the colour of one of its
// menu fields (an enterprise's four-colour plan). Called by check_type_flow when all fields are known.
#include "model/check.h"

struct raw_drawing {
	struct str picture, spots, x, y, of, color;
};

static const struct field *need_kind(struct check *c, const struct yaml_node *n, const char *key, const struct field *f, struct str name,
                                     enum field_kind kind)
{
	if (f && f->kind == kind)
		return f;
	DIAG(c->d, at_key(n, key), RELEASE_FIELD, key, field_kind_name(kind), STR_FMT(name));
	return NULL;
}

static const struct field *column(const struct field *rows, struct str name)
{
	for (size_t i = 0; rows && i < rows->ncolumns; i++)
		if (str_eq(rows->columns[i].name, name))
			return &rows->columns[i];
	return NULL;
}

void check_drawing(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "picture", KEY_STR, true, offsetof(struct raw_drawing, picture), 0 },
		{ "spots", KEY_STR, true, offsetof(struct raw_drawing, spots), 0 },
		{ "x", KEY_STR, true, offsetof(struct raw_drawing, x), 0 },
		{ "y", KEY_STR, true, offsetof(struct raw_drawing, y), 0 },
		{ "of", KEY_STR, true, offsetof(struct raw_drawing, of), 0 },
		{ "color", KEY_STR, true, offsetof(struct raw_drawing, color), 0 },
	};
	struct raw_drawing raw = { STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
	size_t before = c->d->n;
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw) || c->d->n != before)
		return;
	struct drawing d = { .picture = need_kind(c, n, "picture", type_field(t, raw.picture), raw.picture, FIELD_PHOTOS),
		             .spots = need_kind(c, n, "spots", type_field(t, raw.spots), raw.spots, FIELD_ROWS) };
	if (!d.spots)
		return;
	d.x = need_kind(c, n, "x", column(d.spots, raw.x), raw.x, FIELD_NUMBER);
	d.y = need_kind(c, n, "y", column(d.spots, raw.y), raw.y, FIELD_NUMBER);
	d.of = need_kind(c, n, "of", column(d.spots, raw.of), raw.of, FIELD_REF);
	const struct type *to = d.of ? registry_type(c->reg, d.of->to) : NULL;
	d.color = to ? need_kind(c, n, "color", type_field(to, raw.color), raw.color, FIELD_MENU) : NULL;
	if (c->d->n == before)
		t->drawing = d;
}
