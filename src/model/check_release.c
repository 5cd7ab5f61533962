// Checks how a type is released (release: of the type and of its moves), how alarms gather in it, and what menu items say in
// a CAP 1.2 message. Called by check_type when all fields are known.
#include "model/check.h"

// ---- CAP 1.2 (OASIS 2010), 3.2.2: the values of elements of info ---------------------------------
static const struct str cap_category[] = { { "Geo", 3 },    { "Met", 3 },    { "Safety", 6 },    { "Security", 8 },
	                                   { "Rescue", 6 }, { "Fire", 4 },   { "Health", 6 },    { "Env", 3 },
	                                   { "Infra", 5 },  { "CBRNE", 5 },  { "Transport", 9 }, { "Other", 5 } };
static const struct str cap_response[] = { { "Shelter", 7 }, { "Evacuate", 8 }, { "Prepare", 7 },  { "Execute", 7 }, { "Avoid", 5 },
	                                   { "Monitor", 7 }, { "Assess", 6 },   { "AllClear", 8 }, { "None", 4 } };
static const struct str cap_urgency[] = { { "Immediate", 9 }, { "Expected", 8 }, { "Future", 6 }, { "Past", 4 }, { "Unknown", 7 } };
static const struct str cap_severity[] = { { "Extreme", 7 }, { "Severe", 6 }, { "Moderate", 8 }, { "Minor", 5 }, { "Unknown", 7 } };
static const struct str cap_certainty[] = { { "Observed", 8 }, { "Likely", 6 }, { "Possible", 8 }, { "Unlikely", 8 }, { "Unknown", 7 } };

void check_cap(struct check *c, const struct yaml_node *n, struct cap_words *ret)
{
	static const struct key keys[] = {
		{ "category", KEY_STR, false, offsetof(struct cap_words, category), 0 },
		{ "response", KEY_STR, false, offsetof(struct cap_words, response), 0 },
		{ "urgency", KEY_STR, false, offsetof(struct cap_words, urgency), 0 },
		{ "severity", KEY_STR, false, offsetof(struct cap_words, severity), 0 },
		{ "certainty", KEY_STR, false, offsetof(struct cap_words, certainty), 0 },
	};
	static const struct { const struct str *v; size_t n; } values[] = {
		{ cap_category, ARRAY_LEN(cap_category) }, { cap_response, ARRAY_LEN(cap_response) }, { cap_urgency, ARRAY_LEN(cap_urgency) },
		{ cap_severity, ARRAY_LEN(cap_severity) }, { cap_certainty, ARRAY_LEN(cap_certainty) },
	};
	*ret = (struct cap_words){ STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), ret))
		return;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str word = *(const struct str *)(const void *)((const char *)ret + keys[i].at);
		bool known = word.n == 0;
		for (size_t k = 0; !known && k < values[i].n; k++)
			known = str_eq(values[i].v[k], word);
		if (!known)
			DIAG_NEARBY(c->d, at_key(n, keys[i].name), word, values[i].v, values[i].n, CAP_WORD, keys[i].name, STR_FMT(word));
	}
}

// ---- release: -----------------------------------------------------------------------------------
struct raw_release {
	struct releasing r;
	struct str tasks, matrix, category, level, effective, expires, exercise, shape, radius, description, description_en, instruction,
		instruction_en;
};

static const struct field *of_kind(struct check *c, const struct type *t, const struct yaml_node *n, const char *key, struct str name,
                                   enum field_kind kind)
{
	const struct field *f = name.n ? want_field(c, t, at_key(n, key), name) : NULL;
	if (f && (f->kind != kind || f->ncols == 0)) {
		DIAG(c->d, at_key(n, key), RELEASE_FIELD, key, field_kind_name(kind), STR_FMT(name));
		return NULL;
	}
	return f;
}

// What flow/release.c reads of a row of the matrix.
static void check_matrix(struct check *c, const struct yaml_node *n, const struct releasing *r)
{
	static const struct { const char *name; enum field_kind kind; } want[] = {
		{ "categories", FIELD_MENUS }, { "levels", FIELD_MENUS },  { "tier", FIELD_NUMBER },  { "wait", FIELD_NUMBER },
		{ "times", FIELD_NUMBER },     { "roles", FIELD_MENUS },   { "areas", FIELD_REFS },   { "organisations", FIELD_REFS },
		{ "enterprises", FIELD_REFS }, { "channels", FIELD_MENUS }, { "enabled", FIELD_BOOL },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct field *f = type_field(r->matrix, str_of(want[i].name));
		if (!f || f->kind != want[i].kind || f->ncols != 1)
			DIAG(c->d, at_key(n, "matrix"), RELEASE_MATRIX, STR_FMT(r->matrix->name), field_kind_name(want[i].kind), want[i].name);
	}
}

// Tasks of departments: their type refers to the record, and has what a row of the matrix says of one.
static void check_tasks(struct check *c, const struct type *t, const struct yaml_node *n, struct releasing *r)
{
	static const struct { const char *name; enum field_kind kind; } want[] = {
		{ "title", FIELD_TEXT }, { "task", FIELD_TEXT }, { "organisation", FIELD_REF }, { "due", FIELD_TIME },
	}, matrix[] = { { "task", FIELD_TEXT }, { "task_within", FIELD_NUMBER } };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct field *f = type_field(r->tasks, str_of(want[i].name));
		if (!f || f->kind != want[i].kind)
			DIAG(c->d, at_key(n, "tasks"), RELEASE_TASKS, STR_FMT(r->tasks->name), field_kind_name(want[i].kind), want[i].name);
	}
	for (size_t i = 0; r->matrix && i < ARRAY_LEN(matrix); i++) {
		const struct field *f = type_field(r->matrix, str_of(matrix[i].name));
		if (!f || f->kind != matrix[i].kind || f->ncols != 1)
			DIAG(c->d, at_key(n, "tasks"), RELEASE_MATRIX, STR_FMT(r->matrix->name), field_kind_name(matrix[i].kind), matrix[i].name);
	}
	for (size_t i = 0; i < r->tasks->nfields && !r->task_of; i++)
		if (r->tasks->fields[i].kind == FIELD_REF && str_eq(r->tasks->fields[i].to, t->name))
			r->task_of = &r->tasks->fields[i];
	if (!r->task_of)
		DIAG(c->d, at_key(n, "tasks"), RELEASE_TASKS, STR_FMT(r->tasks->name), field_kind_name(FIELD_REF), arena_cstr(c->a, t->name));
}

// CAP 1.2, 3.2.1: sender has no spaces, commas or restricted characters (< and &).
static bool sender_ok(struct str s)
{
	bool at = false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || strchr(",<&", s.p[i]))
			return false;
		at |= s.p[i] == '@';
	}
	return at;
}

static void release_fields(struct check *c, const struct type *t, const struct yaml_node *n, const struct raw_release *raw,
                           struct releasing *r)
{
	r->category = of_kind(c, t, n, "category", raw->category, FIELD_MENU);
	r->level = of_kind(c, t, n, "level", raw->level, FIELD_MENU);
	r->effective = of_kind(c, t, n, "effective", raw->effective, FIELD_TIME);
	r->expires = of_kind(c, t, n, "expires", raw->expires, FIELD_TIME);
	r->exercise = of_kind(c, t, n, "exercise", raw->exercise, FIELD_BOOL);
	r->shape = of_kind(c, t, n, "shape", raw->shape, FIELD_SHAPE);
	r->radius = of_kind(c, t, n, "radius", raw->radius, FIELD_NUMBER);
	r->description[0] = of_kind(c, t, n, "description", raw->description, FIELD_TEXT);
	r->description[1] = of_kind(c, t, n, "description_en", raw->description_en, FIELD_TEXT);
	r->instruction[0] = of_kind(c, t, n, "instruction", raw->instruction, FIELD_TEXT);
	r->instruction[1] = of_kind(c, t, n, "instruction_en", raw->instruction_en, FIELD_TEXT);
}

void check_release(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "matrix", KEY_STR, true, offsetof(struct raw_release, matrix), 0 },
		{ "tasks", KEY_STR, false, offsetof(struct raw_release, tasks), 0 },
		{ "category", KEY_STR, true, offsetof(struct raw_release, category), 0 },
		{ "level", KEY_STR, true, offsetof(struct raw_release, level), 0 },
		{ "effective", KEY_STR, true, offsetof(struct raw_release, effective), 0 },
		{ "expires", KEY_STR, true, offsetof(struct raw_release, expires), 0 },
		{ "exercise", KEY_STR, false, offsetof(struct raw_release, exercise), 0 },
		{ "shape", KEY_STR, false, offsetof(struct raw_release, shape), 0 },
		{ "radius", KEY_STR, false, offsetof(struct raw_release, radius), 0 },
		{ "description", KEY_STR, true, offsetof(struct raw_release, description), 0 },
		{ "description_en", KEY_STR, false, offsetof(struct raw_release, description_en), 0 },
		{ "instruction", KEY_STR, true, offsetof(struct raw_release, instruction), 0 },
		{ "instruction_en", KEY_STR, false, offsetof(struct raw_release, instruction_en), 0 },
		{ "sender", KEY_STR, true, offsetof(struct raw_release, r.sender), 0 },
		{ "see", KEY_STRS, true, offsetof(struct raw_release, r.see), offsetof(struct raw_release, r.nsee) },
		{ "expired", KEY_STRS, true, offsetof(struct raw_release, r.expired), offsetof(struct raw_release, r.nexpired) },
	};
	struct raw_release raw = { .r.sender = STR_EMPTY };
	struct str *texts[] = { &raw.tasks, &raw.matrix, &raw.category, &raw.level, &raw.effective, &raw.expires, &raw.exercise, &raw.shape,
		                &raw.radius, &raw.description, &raw.description_en, &raw.instruction, &raw.instruction_en };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = STR_EMPTY;
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	t->release = raw.r;
	check_roles(c, yaml_get(n, "see"), &t->release.see, &t->release.nsee);
	check_callers(c, t, yaml_get(n, "expired"), &t->release.expired, &t->release.nexpired);
	release_fields(c, t, n, &raw, &t->release);
	t->release.matrix = raw.matrix.n ? want_type(c, at_key(n, "matrix"), raw.matrix) : NULL;
	if (t->release.matrix)
		check_matrix(c, n, &t->release);
	t->release.tasks = raw.tasks.n ? want_type(c, at_key(n, "tasks"), raw.tasks) : NULL;
	if (t->release.tasks)
		check_tasks(c, t, n, &t->release);
	if (raw.r.sender.n && !sender_ok(raw.r.sender))
		DIAG(c->d, at_key(n, "sender"), RELEASE_SENDER);
}

static const struct str release_names[] = { { "", 0 },        { "alert", 5 },     { "update", 6 },
	                                    { "upgrade", 7 }, { "downgrade", 9 }, { "cancel", 6 } };

const char *release_name(enum release r) { return release_names[r].p; }

enum release check_release_word(struct check *c, const struct type *t, const struct yaml_node *n, struct str word)
{
	if (!t->release.matrix)
		DIAG(c->d, n, RELEASE_ALONE);
	for (size_t i = 1; i < ARRAY_LEN(release_names); i++)
		if (str_eq(release_names[i], word))
			return (enum release)i;
	DIAG(c->d, n, RELEASE_WORD, STR_FMT(word));
	return RELEASE_NONE;
}

// ---- gather: ------------------------------------------------------------------------------------
struct raw_gather {
	struct gathering g;
	struct str *by;
	size_t nby;
};

void check_gather(struct check *c, struct type *t, const struct yaml_node *n)
{
	static const struct key keys[] = {
		{ "by", KEY_STRS, true, offsetof(struct raw_gather, by), offsetof(struct raw_gather, nby) },
		{ "within", KEY_DURATION, true, offsetof(struct raw_gather, g.within), 0 },
	};
	struct raw_gather raw = { 0 };
	if (!n || !keys_read(c, n, keys, ARRAY_LEN(keys), &raw))
		return;
	t->gather = raw.g;
	check_field_names(c, t, yaml_get(n, "by"), raw.by, raw.nby, &t->gather.by, &t->gather.nby);
	for (size_t i = 0; i < t->gather.nby; i++) {
		const struct field *f = t->gather.by[i];
		if (f->ncols > 1 || (f->kind != FIELD_REF && f->kind != FIELD_MENU)) // no column of its own: the common one, enterprise
			DIAG(c->d, at_key(n, "by"), GATHER_FIELD, STR_FMT(f->name));
	}
}
