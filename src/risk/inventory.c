// Mass in a tank from its level: geometry of a cylinder or sphere, times volume and density. Entered in models.c. Pure; any thread.
#include "risk/inventory.h"

#include "risk/inputs.h"
#include "risk/models.h"

double tank_full(enum tank_shape shape, double h)
{
	h = fmax(0, fmin(1, h));
	switch (shape) {
	case TANK_HORIZONTAL: { // segment of a circle: (θ − sin θ) / 2π, cos(θ/2) = 1 − 2h
		double theta = 2 * acos(1 - 2 * h);
		return (theta - sin(theta)) / (2 * M_PI);
	}
	case TANK_SPHERE: return h * h * (3 - 2 * h); // cap of a sphere: π H² (3R − H) / 3
	case TANK_VERTICAL: break;
	}
	return h;
}

static void run_inventory(struct risk_run *r)
{
	double height = risk_num(r, "height"), level = risk_given(r, "depth") ? risk_num(r, "depth") : risk_num(r, "level");
	bool metres = risk_given(r, "depth") || (risk_given(r, "height") && !risk_with_unit(r, "level"));
	if (!isfinite(level) || (metres && !risk_given(r, "height"))) {
		risk_fail(r, isfinite(level) ? "height" : "level", "应给出 level（%%），或 depth（m）与 height", "level (%%) is needed, or depth (m) and height");
		return;
	}
	if (metres ? level > height * 1.05 : level > 105) {
		risk_fail(r, risk_given(r, "depth") ? "depth" : "level", "液位 %g 高于罐高 %g %s", "the level of %g is above the height of %g %s", level,
			metres ? height : 100, metres ? "m" : "%");
		return;
	}
	double full = tank_full((enum tank_shape)risk_choice(r, "shape"), metres ? level / height : level / 100);
	risk_out(r, "full", full * 100);
	risk_out(r, "volume_now", full * risk_num(r, "volume"));
	risk_out(r, "mass", full * risk_num(r, "volume") * risk_num(r, "density") / 1000);
}

static const char *const menu_shape[] = { "vertical", "horizontal", "sphere", NULL }; // index is enum tank_shape
static const struct risk_input in_inventory[] = {
	IN_OPT_NOTE("level", "%", "液位，罐高的 %", "level, % of the height", 0, 200, NAN,
		{ "给出罐高而不写单位时为 m", "m if the height is given and no unit" }),
	IN_OPT("depth", "m", "液位", "level, instead of level", 0, 200, NAN),
	IN_OPT("height", "m", "罐高（内径）", "height inside (diameter of a lying tank or sphere)", 0.1, 100, NAN),
	IN_NUM("volume", "m3", "容积", "volume when full", 1e-3, 1e6), IN_NUM("density", "kg/m3", "密度", "density", 0.01, 25000),
	IN_MENU_OPT("shape", "罐型", "shape", menu_shape), IN_END,
};
static const struct risk_output out_inventory[] = { { "full", "%", "充装率", "filled" }, { "volume_now", "m3", "现有体积", "volume" },
	{ "mass", "t", "现存量", "mass" }, { 0 } };
const struct risk_model model_inventory = { "tank-inventory", "储罐现存量", "mass in a tank from its level",
	"geometry of cylinder and sphere", { "平底、均匀密度", "flat ends, one density" }, in_inventory, out_inventory, NULL, NULL, run_inventory };
