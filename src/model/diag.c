// The list of mistakes the checker found, and "did you mean". Used by model/ and by alarm/ for its rules. The list
// belongs to one caller in one thread.
#include "model/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/limits.h"

static void say(struct diags *d, const struct yaml_node *at, const char *fmt, va_list ap)
{
	if (d->n >= LIMIT_DIAGS)
		return;
	d->v = arena_push(d->arena, d->v, &d->n, &d->cap, sizeof *d->v);
	d->v[d->n - 1] = (struct diag){ .file = arena_str(d->arena, at->file), .line = at->line, .col = at->col,
		                        .text = arena_vprintf(d->arena, fmt, ap) };
}

void diag_add(struct diags *d, const struct yaml_node *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(d, at, fmt, ap);
	va_end(ap);
}

void diag_say(struct diags *d, const struct yaml_node *at, const char *zh, const char *en, ...)
{
	va_list ap;
	va_start(ap, en);
	say(d, at, d->zh ? zh : en, ap);
	va_end(ap);
}

void diag_near(struct diags *d, struct str word, const struct str *names, size_t n)
{
	int near_i = str_nearest(word, names, n);
	const struct str *near = near_i < 0 ? NULL : &names[near_i];
	bool wide = str_contains(word, STR("：")) || str_contains(word, STR("，"));
	if ((!near && !wide) || d->n == 0 || d->n >= LIMIT_DIAGS)
		return;
	struct diag *last = &d->v[d->n - 1];
	struct str more = wide ? str_of(d->zh ? DIAG_ZH_NEAR_WIDTH : DIAG_EN_NEAR_WIDTH) :
	                  d->zh ? arena_printf(d->arena, DIAG_ZH_NEAR, STR_FMT(*near)) :
	                          arena_printf(d->arena, DIAG_EN_NEAR, STR_FMT(*near));
	last->text = arena_printf(d->arena, "%.*s%.*s", STR_FMT(last->text), STR_FMT(more));
}

static int by_place(const void *x, const void *y)
{
	const struct diag *a = x, *b = y;
	int c = str_cmp(a->file, b->file);
	if (c == 0)
		c = (a->line > b->line) - (a->line < b->line);
	if (c == 0)
		c = (a->col > b->col) - (a->col < b->col);
	return c ? c : str_cmp(a->text, b->text);
}

void diags_sort(struct diags *d)
{
	if (d->n < 2)
		return;
	qsort(d->v, d->n, sizeof *d->v, by_place);
	size_t n = 1;
	for (size_t i = 1; i < d->n; i++)
		if (by_place(&d->v[n - 1], &d->v[i]) != 0)
			d->v[n++] = d->v[i];
	d->n = n;
}

void yaml_check_keys(const struct yaml_node *map, const char *const *allowed, struct diags *d)
{
	struct str names[64];
	size_t n = 0;
	while (allowed[n] && n < ARRAY_LEN(names)) {
		names[n] = str_of(allowed[n]);
		n++;
	}
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++) {
		struct str key = map->keys[i]->text;
		bool known = false;
		for (size_t k = 0; k < n; k++)
			known |= str_eq(names[k], key);
		if (!known)
			DIAG_NEARBY(d, map->keys[i], key, names, n, UNKNOWN_KEY, STR_FMT(key));
	}
}
