// needs: base store expr bus model gate/decode gate/template
// Vendors' messages by a template: the first byte says which one, or that a block of a template comes first (its length in
// two bytes), which is refused or can be read with.
#include "gate/decode/decoders.h"
#include "gate/template/payloads.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const YAMLS[] = {
	"form: delimited\nstart: \"$\"\nend: \"*\"\ntime: {at: [1, 2], as: \"YY-M-D hh:mm:ss.SSS\"}\n"
	"points:\n  - {at: 3, point: \"{4}-T\", scale: 0.1, quality: 5, prefix: T, suffix: C}\n"
	"words: {\"--\": bad, ON: 1}\nqualities: {OK: good, E: bad}\n"
	"examples: [{text: \"$26-1-1,00:00:00.000,T1C,A,OK\", gives: {A-T: 0.1}}]\n",
	"form: pairs\ntime: {at: t, as: unix}\npoints: [{at: a, point: A, suffix: \"℃\"}, {event: true, point: \"{e}.x\"}]\n"
	"words: {no: 0}\nexamples: [{text: \"t=1;a=1℃;e=f\", gives: {A: 1, f.x: 1}}]\n",
	"form: columns\ntime: arrival\npoints: [{at: 1-4, point: A, quality: 5-5}, {at: 6-9, point: \"{1-2}\"}]\nqualities: {N: good}\n"
	"examples: [{text: \"0001N0000\", gives: {A: 1, \"00\": 0}}]\n",
	"form: json\ntime: {at: h.t, as: iso}\npoints:\n  - {at: \"d.r[].v\", point: \"{h.n}.{d.r[].c}\", quality: \"d.r[].s\"}\n"
	"  - {at: \"[].x\", point: \"{[].y}\"}\n  - {at: \"d.xyz[2]\", point: z}\n  - {event: true, point: \"{d.r[].c}!\"}\n"
	"words: {\"true\": 1}\nqualities: {\"0\": good, bad: bad}\nexamples: [{text: '{\"h\":{\"t\":\"2026-01-01T00:00:00Z\"},\"d\":{\"xyz\":[1,2,3]}}', gives: {z: 3}}]\n",
};

static const struct payload_template *known(unsigned which, struct arena *a)
{
	static struct { uint64_t block[LIMIT_TEMPLATE / 8]; bool there; } kept[ARRAY_LEN(YAMLS)];
	if (!kept[which].there) {
		struct diags d = { .arena = a };
		struct str text = arena_printf(a, "payload: t\nlabel: {zh: t, en: t}\n%s", YAMLS[which]);
		const struct yaml_node *root = yaml_parse(a, STR("t"), text, &d);
		const struct payload_template *t = root ? payload_load(root, a, &d) : NULL;
		must(t || d.n);
		if (!t) {
			fprintf(stderr, "%u: %.*s\n", which, STR_FMT(d.v[0].text));
		}
		must(t);
		memcpy(kept[which].block, t, t->size);
		kept[which].there = true;
	}
	return (const void *)kept[which].block;
}

static const struct payload_template *foreign(struct str *in, struct arena *a)
{
	size_t n = in->n < 2 ? 0 : ((size_t)(uint8_t)in->p[0] << 8 | (uint8_t)in->p[1]) & ~(size_t)7;
	*in = str_skip(*in, 2);
	if (n > in->n) {
		return NULL;
	}
	void *block = memcpy(arena_alloc(a, n), in->p, n);
	*in = str_skip(*in, n);
	return template_sound(block, n) ? block : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(0);
	struct str in = str_from((const char *)data, n);
	unsigned first = n ? data[0] : 0, seen = 0;
	in = str_skip(in, 1);
	const struct payload_template *t = first % 8 < ARRAY_LEN(YAMLS) ? known(first % 8, arena) : foreign(&in, arena);
	if (t) {
		struct decode_sink sink = { &seen, fuzz_reading, fuzz_refuse };
		struct refusal why;
		if (!template_decode(t, in, arena, INT64_C(1795305600000000), &sink, &why)) {
			must(why.reason < REJECT__MAX && why.zh && why.en && why.offset <= in.n);
		}
		must(seen <= 2 * template_most(t, in) + 2 * LIMIT_TEMPLATE_FIELDS);
		fuzz_print(&(struct decoder){ .form = FRAME_AS_IT_IS, .tpl = t }, in, arena);
	}
	arena_free(arena);
	return 0;
}
