#include "api/schema.h"

struct at {
	const char *p;
	struct jw *w;
	bool ok;
	int depth;
};

static void blanks(struct at *a)
{
	while (*a->p == ' ' || *a->p == '\n')
		a->p++;
}

static bool take(struct at *a, char c)
{
	blanks(a);
	if (*a->p != c)
		return false;
	a->p++;
	return true;
}

static struct str word(struct at *a)
{
	const char *from;
	blanks(a);
	from = a->p;
	while ((*a->p >= 'a' && *a->p <= 'z') || (*a->p >= 'A' && *a->p <= 'Z') || (*a->p >= '0' && *a->p <= '9') || *a->p == '_')
		a->p++;
	a->ok &= a->p > from;
	return str_from(from, (size_t)(a->p - from));
}

static void form(struct at *a);

static void named(struct at *a)
{
	static const struct { const char *word, *json; } simple[] = {
		{ "int", "{\"type\":\"integer\"}" },   { "num", "{\"type\":\"number\"}" },  { "str", "{\"type\":\"string\"}" },
		{ "bool", "{\"type\":\"boolean\"}" },  { "any", "{}" },                     { "null", "{\"type\":\"null\"}" },
		{ "time", "{\"type\":\"string\",\"format\":\"date-time\"}" },
	};
	struct str s = word(a);
	for (size_t i = 0; i < ARRAY_LEN(simple); i++)
		if (str_is(s, simple[i].word)) {
			jw_raw(a->w, str_of(simple[i].json));
			return;
		}
	char ref[80] = "#/components/schemas/";
	size_t n = strlen(ref), more = MIN(s.n, sizeof ref - 1 - n);
	memcpy(ref + n, s.p, more);
	a->ok &= s.n > 0 && s.p[0] >= 'A' && s.p[0] <= 'Z';
	jw_obj(a->w);
	jw_kstr(a->w, "$ref", str_from(ref, n + more));
	jw_end(a->w);
}

static void literal(struct at *a)
{
	jw_obj(a->w);
	jw_karr(a->w, "enum");
	struct str s = str_of(a->p);
	s = str_cut(&s, '\'');
	a->p += s.n;
	a->ok &= take(a, '\'');
	jw_str(a->w, s);
	jw_end(a->w);
	jw_end(a->w);
}

static void list(struct at *a)
{
	jw_obj(a->w);
	jw_kcstr(a->w, "type", "array");
	jw_key(a->w, "items");
	form(a);
	a->ok &= take(a, ']');
	jw_end(a->w);
}

// The keys are read twice: once for "required", once for the forms.
static void required(struct at a)
{
	jw_karr(a.w, "required");
	int depth = 0;
	bool key = true;
	for (const char *p = a.p; *p && depth >= 0; p++) {
		if (depth == 0 && key && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_')) {
			struct at k = { p, a.w, true, 0 };
			struct str s = word(&k);
			if (*k.p == ':')
				jw_str(a.w, s);
			key = false;
			p = k.p - 1;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			depth--;
		} else if (*p == ',' && depth == 0) {
			key = true;
		} else if (*p == '*') {
			key = false;
		}
	}
	jw_end(a.w);
}

static void object(struct at *a)
{
	const char *rest = NULL;
	jw_obj(a->w);
	jw_kcstr(a->w, "type", "object");
	required(*a);
	jw_kobj(a->w, "properties");
	while (a->ok && !take(a, '}')) {
		if (take(a, '*')) {
			a->ok &= take(a, ':');
			rest = a->p;
			struct buf nowhere;
			struct jw w;
			buf_init(&nowhere, 64 << 10);
			jw_init(&w, &nowhere);
			struct at skip = { a->p, &w, true, a->depth };
			form(&skip);
			a->p = skip.p;
			a->ok &= skip.ok;
			buf_free(&nowhere);
		} else {
			jw_key_str(a->w, word(a));
			(void)take(a, '?');
			a->ok &= take(a, ':');
			form(a);
		}
		(void)take(a, ',');
	}
	jw_end(a->w);
	if (rest) {
		struct at again = { rest, a->w, true, a->depth };
		jw_key(a->w, "additionalProperties");
		form(&again);
	}
	jw_end(a->w);
}

static void one(struct at *a)
{
	if (++a->depth > 12)
		a->ok = false;
	if (!a->ok)
		jw_null(a->w);
	else if (take(a, '\''))
		literal(a);
	else if (take(a, '['))
		list(a);
	else if (take(a, '{'))
		object(a);
	else
		named(a);
	a->depth--;
}

// Is there another form after this one, at this level?
static bool either(const char *p)
{
	int depth = 0;
	for (; *p; p++) {
		if (*p == '{' || *p == '[')
			depth++;
		if ((*p == '}' || *p == ']') && depth-- == 0)
			return false;
		if (depth == 0 && *p == ',')
			return false;
		if (depth == 0 && *p == '|')
			return true;
	}
	return false;
}

static void form(struct at *a)
{
	if (!either(a->p)) {
		one(a);
		return;
	}
	jw_obj(a->w);
	jw_karr(a->w, "anyOf");
	do
		one(a);
	while (take(a, '|'));
	jw_end(a->w);
	jw_end(a->w);
}

bool schema_write(struct jw *w, const char *text)
{
	struct at a = { text, w, true, 0 };
	form(&a);
	blanks(&a);
	return a.ok && *a.p == 0;
}
