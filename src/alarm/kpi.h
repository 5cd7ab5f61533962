// How alarms load people: rates, floods, nuisances and what stands, out of the journal. ISA-18.2-2016 clause 16 and IEC 62682
// (metrics), EEMUA 191 (what is manageable). Reads only; any thread, own connection.
#pragma once

#include "base/arena.h"
#include "base/jw.h"
#include "store/records.h"

#define KPI_PERIOD (10 * US_PER_MIN)    // EEMUA 191: rates are judged by ten minutes
#define KPI_FLOOD_BEGINS 10             // ISA-18.2-2016, 16.5: ten alarms or more in ten minutes
#define KPI_FLOOD_ENDS 5                // … until fewer than five
#define KPI_FLOOD_BACK (6 * US_PER_HOUR) // a flood that goes on for longer is said to have begun then
#define KPI_TARGET 1                    // EEMUA 191: one in ten minutes is manageable in steady state
#define KPI_STANDING (24 * US_PER_HOUR) // ISA-18.2-2016, 3.1: stale after a day
#define KPI_STALE_TARGET 5              // ISA-18.2-2016, clause 16: fewer than five stale alarms, with a plan for each
#define KPI_BUSY_HOUR 30                // ISA-18.2-2016, clause 16: hours with more than 30 alarms are fewer than 1 %
#define KPI_DAY_TARGET 150              // … per operator: about 150 a day are likely acceptable, 300 the most that is manageable
#define KPI_DAY_MOST 300
#define KPI_FLEETING (10 * US_PER_S)    // returned so soon: nobody could have acted; the county's number, the standard has none
#define KPI_REVIEW (366 * US_PER_DAY)   // a rationale is looked at again every year; the county's number
#define KPI_TOP 10                      // … the ten most frequent are at most 5 % of the load
#define KPI_TOP_TARGET 5
#define KPI_LONGEST (366 * US_PER_DAY)

enum kpi_by { KPI_ALL, KPI_AREA, KPI_ENTERPRISE, KPI_OPERATOR };
bool kpi_by_find(struct str name, enum kpi_by *ret); // "", "area", "enterprise", "operator"

struct kpi_query {
	int64_t from, to;       // us; at most KPI_LONGEST; periods are counted from `from`
	struct str area;        // prefix, or empty
	int64_t enterprise;     // 0 = all
	enum kpi_by by;
	int64_t now;
	bool rationales;        // the county keeps rationales of alarms (type alarm_rationale)
};

struct kpi_numbers {
	struct str key, title;      // of the group: code of the area, id of the enterprise or person
	int64_t activations, periods, flood_periods, floods, above, peak_period, peak_hour; // above: periods beyond KPI_TARGET
	int64_t hours, busy_hours;  // busy: with more than KPI_BUSY_HOUR
};
// What counts of activations by period (ascending, without the empty ones) say. Pure.
struct kpi_count { int64_t period, n; };
// EEMUA 191: what the average rate means to one operator: "acceptable" (up to 1 in 10 min), "manageable" (1 in 5 min), "demanding"
// (1 a minute), "unacceptable".
const char *kpi_load(double per_hour);
struct kpi_numbers kpi_of(const struct kpi_count *v, size_t n, int64_t periods);
// Is it a flood at the end of minute `now`? v: counts by minute (ascending, without the empty ones); any ten minutes on end count.
// *ret_since: the minute in which it began. Pure.
bool kpi_flood_at(const struct kpi_count *v, size_t n, int64_t now, int64_t *ret_since);
// The groups of q->by (KPI_ALL: one, also when nothing happened).
enum err kpi_groups(struct db *db, const struct scope *scope, const struct kpi_query *q, struct arena *a, struct kpi_numbers **ret,
                    size_t *ret_n) must_check;
// All of it as one object: total, groups, priorities, actors, chattering, fleeting, standing, stale, hidden, operators,
// unrationalised (rules that alarmed and have no rationale), reviews_due, targets.
enum err kpi_json(struct db *db, const struct scope *scope, const struct kpi_query *q, struct jw *w, struct arena *a) must_check;
// Is it a flood now? It goes on until fewer than KPI_FLOOD_ENDS came in ten minutes.
// {flood,since?,count,minutes,groups:[{installation?,enterprise,n,first:{alarm,…}}]}
enum err kpi_flood_json(struct db *db, const struct scope *scope, int64_t now, struct jw *w, struct arena *a) must_check;
