// needs: base risk
// Any bytes as the inputs of any model: never a crash, an answer is JSON without a number that is not finite (the writer prints
// such a number as null), and a refusal says why in both languages. The first byte chooses the model.
#include "base/jr.h"
#include "risk/risk.h"
#include "tests/fuzz/must.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void no_null(struct jr *r)
{
	struct str key;
	switch (jr_peek(r)) {
	case JR_ARRAY:
		for (jr_arr(r); jr_more(r);) {
			no_null(r);
		}
		break;
	case JR_OBJECT:
		for (jr_obj(r); jr_key(r, &key);) {
			no_null(r);
		}
		break;
	case JR_NULL: abort();
	case JR_NONE:
	case JR_BOOL:
	case JR_NUMBER:
	case JR_STRING: jr_skip(r); break;
	}
}

static const struct risk_tables *tables(struct arena *a)
{
	static const char *const texts[][2] = {
		{ "gb18218-2018-chemicals", "name,alias,cas,Q,beta,basis\n氨,液氨,7664-41-7,10,2,T3\n甲醇,,67-56-1,500,1,\n" },
		{ "gb18218-2018-classes", "class,Q,beta\nW5.3,1000,1\nJ3,50,2\n" }, { "gb18218-2018-exposure", "from,alpha\n0,0.5\n1,1\n" },
		{ "gb18218-2018-grades", "from,grade\n0,四级\n10,三级\n" },
		{ "bst-curves", "family,Mf,R,P\ntang-baker-1999,0.2,0.2,0.07\ntang-baker-1999,0.2,7,0.004\n"
		  "tang-baker-1999,5.2,0.2,8\ntang-baker-1999,5.2,7,0.04\n" },
			{ "bst-mach", "confinement,reactivity,congestion,Mf\n3D,low,low,0.026\n" },
		{ "multi-energy", "class,quantity,R_to,a,b\n1,P,1000,0.01,-1\n1,t,1000,4,0\n7,P,1000,1,-1\n7,t,1000,0.3,0\n" },
		{ "toxic-probits", "substance,a,b,n,note\nchlorine,-6.35,0.5,2.75,\n" },
		{ "risk-scores", "method,factor,score\nLEC,L,1\nLEC,E,1\nLEC,C,1\n" },
		{ "risk-bands", "method,from,zh,en,colour,control\nLEC,0,低,low,蓝,x\n" },
		{ "burning-rates", "fuel,m,dHc,kb\nhexane,0.074,44700,1.9\n" }, { "ground", "ground,lambda,alpha\nconcrete,1.1,1.29e-7\n" },
		{ "ir-criteria", "zh,en,limit\nx,x,1e-5\n" },
		{ "domino", "target,a,b,P_limit,I_limit\natmospheric,-18.96,2.44,22,15\n" }, { "sutton", "stability,n,a\nA,0.2,0.0038\n" },
		{ "blast-damage", "P,zh,en\n7,x,x\n" },
	};
	static struct risk_tables t;
	t = (struct risk_tables){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		unsigned line;
		t.v = arena_push(a, t.v, &t.n, &t.cap, sizeof *t.v);
		must(risk_table_parse(a, str_of(texts[i][0]), str_of(texts[i][1]), &t.v[t.n - 1], &line));
	}
	return &t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1) {
		return 0;
	}
	size_t models;
	const struct risk_model *const *list = risk_models(&models);
	struct arena *a = arena_new(1 << 16);
	struct problem p;
	struct buf out;
	problem_init(&p, a);
	buf_init(&out, 16u << 20);
	enum err err = risk_calc(list[data[0] % models], NULL, tables(a), str_from((const char *)data + 1, n - 1), a, &out, &p);
	must(err != ERR_BUG);
	if (err == OK) {
		struct jr r;
		jr_init(&r, buf_str(&out), a);
		no_null(&r);
		must(jr_end(&r));
	} else {
		must(p.zh.n && p.en.n);
	}
	struct risk_table t;
	unsigned line;
	(void)!risk_table_parse(a, STR("fuzz"), str_from((const char *)data + 1, n - 1), &t, &line);
	buf_free(&out);
	arena_free(a);
	return 0;
}
