#include "flow/lot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_ticket(const void *x, const void *y)
{
	const struct ticket *a = x, *b = y;
	int d = memcmp(a->hash, b->hash, SM3_LEN);
	return d ? d : (a->id > b->id) - (a->id < b->id);
}

void lot_draw(struct str seed, struct str what, struct ticket *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[200];
		int len = snprintf(text, sizeof text, "%.*s:%.*s:%lld", STR_FMT(seed), STR_FMT(what), (long long)v[i].id);
		sm3_once(str_from(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1), v[i].hash);
	}
	if (n)
		qsort(v, n, sizeof *v, by_ticket);
}
