// Evidence of several sources for one event - detectors, cameras, people, models - combined by Dempster's rule on the frame {it is
// so, it is not so} (Shafer, A Mathematical Theory of Evidence, 1976, chapter 3), each discounted by how reliable its source is
// (chapter 11). What each source contributed is the belief with all of them less the belief without it. Entered in models.c. Pure;
// any thread.
#include "risk/inputs.h"
#include "risk/models.h"

struct mass { double yes, no, open; }; // together 1

static struct mass combine(struct mass a, struct mass b, double *conflict)
{
	double k = a.yes * b.no + a.no * b.yes, left = 1 - k;
	*conflict = 1 - (1 - *conflict) * left;
	return (struct mass){ (a.yes * b.yes + a.yes * b.open + a.open * b.yes) / left, (a.no * b.no + a.no * b.open + a.open * b.no) / left,
		              a.open * b.open / left };
}

// All but one of the sources; SIZE_MAX: all.
static struct mass combine_all(const struct mass *v, size_t n, size_t without, double *conflict)
{
	struct mass all = { 0, 0, 1 };
	*conflict = 0;
	for (size_t i = 0; i < n; i++)
		if (i != without)
			all = combine(all, v[i], conflict);
	return all;
}

static bool read_masses(struct risk_run *r, struct mass *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double yes = risk_cell(r, "evidence", i, "yes")->num, no = risk_cell(r, "evidence", i, "no")->num;
		double trust = risk_cell(r, "evidence", i, "trust")->num;
		if (yes + no > 1 + 1e-9) {
			risk_fail(r, "evidence", "第 %zu 行：支持与反对之和不能大于 1", "row %zu: for and against must not be more than 1 together", i + 1);
			return false;
		}
		v[i] = (struct mass){ trust * yes, trust * no, 1 - trust * (yes + no) };
	}
	return true;
}

static void run_evidence(struct risk_run *r)
{
	size_t n = risk_rows(r, "evidence");
	struct mass *v = arena_many(r->arena, n, struct mass);
	struct str *lines = arena_many(r->arena, n, struct str);
	double *share = arena_many(r->arena, n, double), conflict, unused;
	if (!read_masses(r, v, n))
		return;
	struct mass all = combine_all(v, n, SIZE_MAX, &conflict);
	if (!(conflict < 1 - 1e-12)) {
		risk_fail(r, "evidence", "来源完全矛盾，无法合成；请降低其中不可靠来源的可信度", "the sources contradict one another entirely; lower the trust in one");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		share[i] = all.yes - combine_all(v, n, i, &unused).yes;
		struct str name = risk_cell(r, "evidence", i, "source")->text;
		lines[i] = arena_printf(r->arena, "%.*s %+.3f", STR_FMT(name), share[i]);
	}
	risk_out(r, "belief", all.yes);
	risk_out(r, "plausibility", 1 - all.no);
	risk_out(r, "against", all.no);
	risk_out(r, "conflict", conflict);
	risk_out_list(r, "contribution", share, n);
	risk_out_texts(r, "lines", lines, n);
	if (conflict > 0.5)
		risk_warn(r, "来源之间矛盾较大（%.2f），请先核对来源", "the sources contradict one another (%.2f); check them first", conflict);
}

static const struct risk_input columns_evidence[] = {
	IN_TEXT("source", "来源", "source"), IN_NUM("yes", "", "支持", "speaks for it", 0, 1), IN_OPT("no", "", "反对", "speaks against it", 0, 1, 0),
	IN_OPT("trust", "", "可信度", "trust in the source", 0, 1, 1), IN_END,
};
static const struct risk_input in_evidence[] = { IN_ROWS("evidence", "证据", "evidence", columns_evidence), IN_END };
static const struct risk_output out_evidence[] = {
	{ "belief", "", "信度：可以确信的程度", "belief that it is so" }, { "plausibility", "", "似真度：最多可能的程度", "plausibility: what is not spoken against" },
	{ "against", "", "反对的信度", "belief that it is not so" }, { "conflict", "", "冲突", "conflict of the sources" },
	{ "contribution", "", "各来源的贡献", "what each source contributes to the belief" }, { "lines", "", "逐源贡献", "contributions in words" }, { 0 },
};
const struct risk_model model_evidence = { "evidence", "多源证据合成（D-S）", "evidence of several sources (Dempster-Shafer)",
	"Shafer 1976: Dempster's rule, discounting", { "来源相互独立", "sources that are independent" }, in_evidence, out_evidence, NULL, NULL, run_evidence };
