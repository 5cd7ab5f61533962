// The source of a jet that flashes: from the exit to where it has the pressure of the air. Pure.
#include "risk/slab_int.h"

#include <math.h>

double slab_saturation(const struct slab_in *in, double t)
{
	double b = in->spb > 0 ? in->spb : in->dhv * in->mw / SLAB_R;
	return SLAB_PA * exp(fmin(b / (in->t_boil + in->spc) - b / (t + in->spc), 50));
}

// Momentum: m u = m u_exit + (p - pa) A, over a control volume whose sides are at the pressure of the air (TNO Yellow Book CPR 14E,
// 2.5.3; Fauske & Epstein, J. Loss Prev. 1, 1988). Enthalpy: x dHv = cp_l (T - T_boil), Crowl & Louvar 4-7. No slip, no rain-out.
struct slab_flashed slab_flash(const struct slab_in *in, const struct slab_flash *f)
{
	double vapour = fmin(fmax(in->cp_l * (f->t - in->t_boil) / in->dhv, 0), 1);
	struct slab_flashed r = { .liquid = 1 - vapour, .u_exit = f->rate / (in->rho_l * f->area) };
	r.u = r.u_exit + fmax(f->p - f->pa, 0) * f->area / f->rate;
	r.rho = 1 / (vapour * SLAB_R * in->t_boil / (in->mw * f->pa) + r.liquid / in->rho_l);
	r.area = f->rate / (r.rho * r.u);
	r.flux = f->rate * r.u;
	return r;
}
