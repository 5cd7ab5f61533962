// Numbers of records by the rule of their type: "YJ-{year}-{seq:5}". The sequence starts again whenever the text
// before or behind it changes (year, area …). Called by flow.c in store jobs.
#include "base/time.h"
#include "flow/draft.h"
#include "flow/words.h"

static struct str part_text(struct str part, const struct common *c, struct arena *a)
{
	struct civil now = time_to_civil(c->created_at, time_zone());
	if (str_is(part, "year"))
		return arena_printf(a, "%04d", now.year);
	if (str_is(part, "month"))
		return arena_printf(a, "%02d", now.month);
	if (str_is(part, "day"))
		return arena_printf(a, "%02d", now.day);
	if (str_is(part, "area"))
		return area_prefix(c->area);
	if (str_is(part, "enterprise"))
		return arena_printf(a, "%lld", (long long)MAX(c->enterprise, (int64_t)0));
	return STR_EMPTY;
}

enum err number_next(struct db *db, const struct type *t, const struct common *c, struct arena *a, struct str *ret)
{
	struct str rest = t->number, front = STR_EMPTY, back = STR_EMPTY;
	uint64_t width = 0;
	int64_t seq = 0;
	*ret = STR_EMPTY;
	if (t->number.n == 0)
		return OK;
	while (rest.n) {
		struct str *side = width ? &back : &front;
		struct str text = str_cut(&rest, '{');
		*side = arena_printf(a, "%.*s%.*s", STR_FMT(*side), STR_FMT(text));
		if (rest.n == 0)
			break;
		struct str part = str_cut(&rest, '}');
		if (str_starts(part, STR("seq:")))
			(void)str_to_u64(str_skip(part, 4), &width);
		else {
			text = part_text(part, c, a);
			*side = arena_printf(a, "%.*s%.*s", STR_FMT(*side), STR_FMT(text));
		}
	}
	struct str name = arena_printf(a, "number:%.*s:%.*s|%.*s", STR_FMT(t->name), STR_FMT(front), STR_FMT(back));
	enum err err = records_next_seq(db, name, &seq);
	*ret = arena_printf(a, "%.*s%0*lld%.*s", STR_FMT(front), (int)MIN(width, UINT64_C(9)), (long long)seq, STR_FMT(back));
	return err;
}

enum err flow_number(struct db *db, struct str name, struct str rule, struct str area, int64_t enterprise, int64_t at, struct arena *a,
                     struct str *ret)
{
	struct type t = { .name = name, .number = rule };
	struct common c = { .created_at = at, .area = area, .enterprise = enterprise };
	return number_next(db, &t, &c, a, ret);
}
