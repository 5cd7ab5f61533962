// Zones of a dust explosion: a vented vessel (flame and pressure outside), or one that holds until it bursts. Pure but for the
// arena; any thread.
#include "risk/inputs.h"
#include "risk/zone_int.h"

static const struct risk_run *ask_outside(struct zone_job *z, double r)
{
	return zone_model(z, "dust-vent-outside", "泄爆口外的火焰与超压", "flame and pressure outside of the vent",
		"{\"V\":%.9g,\"pred\":%.9g,\"A\":%.9g,\"r\":%.9g}", risk_num(z->in, "V"), risk_num(z->in, "pred"), z->vent, r);
}

static double outside_at(struct zone_job *z, double x, double y)
{
	const struct risk_run *r = ask_outside(z, fmax(hypot(x, y), 0.1));
	return r ? zone_out(r, "P") : 0;
}

// The vent that this vessel needs, if its area was not given.
static double vent_area(struct zone_job *z)
{
	if (risk_given(z->in, "A")) {
		return risk_num(z->in, "A");
	}
	const struct risk_run *r = zone_model(z, "dust-vent", "需要的泄爆面积", "vent area that is needed",
		"{\"V\":%.9g,\"pmax\":%.9g,\"Kst\":%.9g,\"pstat\":0.1,\"pred\":%.9g}", risk_num(z->in, "V"), risk_num(z->in, "pmax"), risk_num(z->in, "Kst"),
		risk_num(z->in, "pred"));
	return zone_out(r, "A");
}

static void vented(struct zone_job *z)
{
	z->vent = vent_area(z);
	z->at = outside_at;
	if (zone_failed(z)) {
		return;
	}
	struct zone_level flame[ZONE_MAX];
	if (!z->bare && zone_levels(z, "dust", NULL, flame)) {
		const struct risk_run *r = ask_outside(z, 1);
		struct zone *zn = zone_add(z, &flame[0]);
		zn->value = zone_out(r, "flame_length");
		zn->ring = zone_ellipse(z->arena, 0, zn->value, zn->value);
	}
	zone_circles(z, "blast", 0.1, 0);
	zone_warn(z, "泄爆口朝向未知，按可能朝任一方向取圆；二次爆炸（扬起的积尘）不计，可能更远",
		  "the direction of the vent is not known: circles; a second explosion of dust that is raised is not counted and may reach farther");
}

void zone_run_dust(struct zone_job *z)
{
	if (risk_choice(z->in, "vessel") == 0) {
		vented(z);
		return;
	}
	zone_burst(z, (risk_num(z->in, "pmax") + 1.01325) * 100, 1.4); // as strong as the explosion itself: nothing more can come
	zone_warn(z, "未泄爆容器按承压到最大爆炸压力才破裂，为上限；强度较低的仓体早破裂，范围较小；二次爆炸不计",
		  "a vessel without vents is taken to hold until the highest pressure of the explosion, an upper bound: a weaker one bursts earlier "
		  "and reaches less far; a second explosion is not counted");
}
