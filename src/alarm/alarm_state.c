// The alarm state machine: ISA-18.2-2016 / IEC 62682 states of one alarm, as a pure function. No time, no storage.
//
//   normal (A)  unack (B)  acked (C)  rtn_unack (D)  latch_unack (E)  latch_acked (F)  shelved (G)  suppressed (H)  out_of_service (I)
//
// E and F are of rules that latch: the condition has returned, and the alarm stays until somebody has acknowledged it and then resets
// it. A reset while the condition lasts is refused. A latch survives hiding: who brings the alarm back finds it latched.
//
// While an alarm is shelved, suppressed or out of service the condition goes on being followed in `active`; what
// ends that state decides by it anew: still active is announced again (unack), otherwise the alarm is normal.
// The three keep an order: out of service over suppressed over shelved. A weaker one cannot be entered from a stronger.
#include "alarm/alarm.h"

static const char *const state_names[] = { "normal",  "unack",      "acked",         "rtn_unack",
	                                   "latch_unack", "latch_acked", "shelved", "suppressed", "out_of_service" };
const char *alarm_state_name(enum alarm_state s) { return state_names[s]; }

static struct alarm_mode announced(bool active, bool acked, bool latch)
{
	enum alarm_state over = latch ? (acked ? ALARM_LATCH_ACKED : ALARM_LATCH_UNACK) : (acked ? ALARM_NORMAL : ALARM_RTN_UNACK);
	return (struct alarm_mode){ active ? (acked ? ALARM_ACKED : ALARM_UNACK) : over, active, acked, latch };
}

static bool is_announced(enum alarm_state s) { return s < ALARM_SHELVED; }

static enum err refuse(enum alarm_state s, struct problem *p)
{
	static const struct { const char *zh, *en; } why[] = {
		[ALARM_NORMAL] = { "报警已恢复正常，不能这样操作", "the alarm is normal; this is not possible" },
		[ALARM_UNACK] = { "报警尚未确认，不能这样操作", "the alarm is not acknowledged; this is not possible" },
		[ALARM_ACKED] = { "报警已确认，不能这样操作", "the alarm is acknowledged; this is not possible" },
		[ALARM_RTN_UNACK] = { "报警已恢复、待确认，不能这样操作",
		                      "the alarm has returned and waits for acknowledgement; this is not possible" },
		[ALARM_LATCH_UNACK] = { "报警已锁存、待确认，请先确认", "the alarm is latched and waits for acknowledgement; acknowledge it first" },
		[ALARM_LATCH_ACKED] = { "报警已锁存、待复位，不能这样操作", "the alarm is latched and waits for its reset; this is not possible" },
		[ALARM_SHELVED] = { "报警已搁置，请先取消搁置", "the alarm is shelved; unshelve it first" },
		[ALARM_SUPPRESSED] = { "报警已抑制，请先取消抑制", "the alarm is suppressed; end the suppression first" },
		[ALARM_OUT_OF_SERVICE] = { "报警已停用，请先恢复投用",
			                   "the alarm is out of service; put it in service first" },
	};
	return problem_set(p, ERR_CONFLICT, "state", "%s%.0s", "%.0s%s", why[s].zh, why[s].en);
}

// The end of shelving, suppression or maintenance: looked at anew.
static struct alarm_mode anew(bool active, bool latch) { return announced(active, !active && !latch, latch); }

// In shelved, suppressed, out_of_service only the flags follow the condition.
static struct alarm_mode with(struct alarm_mode now, bool active, bool acked)
{
	return is_announced(now.state) ? announced(active, acked, now.latch) : (struct alarm_mode){ now.state, active, acked, now.latch };
}

// The condition changed.
static enum err condition_next(struct alarm_mode now, enum alarm_input in, struct alarm_mode *ret, struct problem *p)
{
	bool raise = in == IN_RAISE;
	if (raise == now.active) // raised twice, or changed while not active
		return refuse(now.state, p);
	switch ((unsigned)in) {
	case IN_RAISE:
	case IN_LEVEL_UP:
		*ret = with(now, true, false);
		break;
	case IN_LEVEL_DOWN:
		*ret = now;
		break;
	default: // IN_RETURN
		*ret = with(now, false, now.acked);
		break;
	}
	return OK;
}

// Somebody, or the design, takes it from view or brings it back.
static enum err hide_next(struct alarm_mode now, enum alarm_state to, bool enter, struct alarm_mode *ret,
                          struct problem *p)
{
	if (enter ? !is_announced(now.state) && now.state > to : now.state != to)
		return refuse(now.state, p);
	*ret = enter ? (struct alarm_mode){ to, now.active, now.acked, now.latch } : anew(now.active, now.latch);
	return OK;
}

static enum err reset_next(struct alarm_mode now, struct alarm_mode *ret, struct problem *p)
{
	if (is_announced(now.state) && now.active && now.latch)
		return problem_set(p, ERR_CONFLICT, "state", "条件仍成立，不能复位；消除后再复位", "the condition still holds: it is reset when it is over");
	if (now.state != ALARM_LATCH_ACKED)
		return refuse(now.state, p);
	*ret = announced(false, true, false);
	return OK;
}

enum err alarm_next(struct alarm_mode now, enum alarm_input in, struct alarm_mode *ret, struct problem *p)
{
	*ret = now;
	switch (in) {
	case IN_RAISE:
	case IN_LEVEL_UP:
	case IN_LEVEL_DOWN:
	case IN_RETURN:
		return condition_next(now, in, ret, p);
	case IN_ACK:
		if (now.state != ALARM_UNACK && now.state != ALARM_RTN_UNACK && now.state != ALARM_LATCH_UNACK)
			return refuse(now.state, p);
		*ret = announced(now.active, true, now.latch);
		return OK;
	case IN_RESET:
		return reset_next(now, ret, p);
	case IN_SHELVE:
		return hide_next(now, ALARM_SHELVED, true, ret, p);
	case IN_UNSHELVE:
		return hide_next(now, ALARM_SHELVED, false, ret, p);
	case IN_SUPPRESS:
		return hide_next(now, ALARM_SUPPRESSED, true, ret, p);
	case IN_UNSUPPRESS:
		return hide_next(now, ALARM_SUPPRESSED, false, ret, p);
	case IN_OUT_OF_SERVICE:
		return hide_next(now, ALARM_OUT_OF_SERVICE, true, ret, p);
	case IN_IN_SERVICE:
		return hide_next(now, ALARM_OUT_OF_SERVICE, false, ret, p);
	}
	return problem_set(p, ERR_BUG, "", "未知的报警输入", "unknown alarm input");
}
