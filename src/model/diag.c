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

// Letters to change, add, take away or swap with the next (optimal string alignment), or a big number for long words.
static unsigned distance(struct str a, struct str b)
{
	enum { LONGEST = 48 };
	unsigned rows[3][LONGEST + 1];
	if (a.n > LONGEST || b.n > LONGEST)
		return LONGEST;
	for (unsigned j = 0; j <= b.n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			unsigned best = MIN(above[j], row[j - 1]) + 1;
			best = MIN(best, above[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				best = MIN(best, before[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[a.n % 3][b.n];
}

void diag_near(struct diags *d, struct str word, const struct str *names, size_t n)
{
	unsigned best = (unsigned)(word.n < 4 ? 1 : word.n < 8 ? 2 : 3) + 1;
	const struct str *near = NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned far = distance(word, names[i]);
		if (far < best) {
			best = far;
			near = &names[i];
		}
	}
	if (!near || d->n == 0 || d->n >= LIMIT_DIAGS)
		return;
	struct diag *last = &d->v[d->n - 1];
	struct str more = d->zh ? arena_printf(d->arena, DIAG_ZH_NEAR, STR_FMT(*near)) :
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
