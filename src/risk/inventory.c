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
	double level = risk_num(r, "level"), height = risk_num(r, "height");
	bool metres = risk_given(r, "height");
	if (metres && level > height * 1.05) {
		risk_fail(r, "level", "液位 %g m 高于罐高 %g m", "the level of %g m is above the height of %g m", level, height);
		return;
	}
	double full = tank_full((enum tank_shape)risk_choice(r, "shape"), metres ? level / height : level / 100);
	risk_out(r, "full", full * 100);
	risk_out(r, "volume_now", full * risk_num(r, "volume"));
	risk_out(r, "mass", full * risk_num(r, "volume") * risk_num(r, "density") / 1000);
}

static const char *const menu_shape[] = { "vertical", "horizontal", "sphere", NULL }; // index is enum tank_shape
static const struct risk_input in_inventory[] = {
	IN_NUM("level", "", "液位：罐高的 %，给出罐高时为 m", "level: % of the height, or m if the height is given", 0, 200),
	IN_OPT("height", "m", "罐高（内径）", "height inside (diameter of a lying tank or sphere)", 0.1, 100, NAN),
	IN_NUM("volume", "m3", "容积", "volume when full", 1e-3, 1e6), IN_NUM("density", "kg/m3", "密度", "density", 0.01, 25000),
	IN_MENU_OPT("shape", "罐型", "shape", menu_shape), IN_END,
};
static const struct risk_output out_inventory[] = { { "full", "%", "充装率", "filled" }, { "volume_now", "m3", "现有体积", "volume" },
	{ "mass", "t", "现存量", "mass" }, { 0 } };
const struct risk_model model_inventory = { "tank-inventory", "储罐现存量", "mass in a tank from its level",
	"geometry of cylinder and sphere", { "平底、均匀密度", "flat ends, one density" }, in_inventory, out_inventory, NULL, NULL, run_inventory };
