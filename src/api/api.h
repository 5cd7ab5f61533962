// Inside of api/: one call, its route, and the helpers every resource file uses.
#pragma once

#include <jansson.h>

#include "api/app.h"
#include "base/jw.h"
#include "base/limits.h"

enum access {
	ACCESS_PUBLIC,   // anyone
	ACCESS_SESSION,  // a person who is logged in
	ACCESS_DEVICE,   // a device with its key
};

struct call {
	struct app *app;
	struct http_request *rq;
	struct http_response *rs;
	const struct route *route;
	struct str param[4];        // what stood for :x in the path, in order
	struct identity id;         // ACCESS_SESSION
	const struct site_device *device; // ACCESS_DEVICE
	struct site *site;          // taken when needed: call_site()
	const struct registry *reg; // pinned for the call
	struct arena *arena;
	json_t *body;               // parsed when the route has a body; an object or array
	struct db *db;              // read snapshot, taken when needed: call_db()
	struct jw w;                // writes rs->body
	struct problem p;
};

typedef enum err api_handler(struct call *c);

struct api_param {              // for the documentation and the check of unknown parameters
	const char *name, *about;
};

struct route {
	const char *method;
	const char *path;           // "/api/v1/records/:type/:id"
	enum access access;
	const char *may;            // permission needed, or NULL
	bool body;                  // a JSON body is expected
	api_handler *run;
	const char *about;          // one line, English
	const char *query;          // allowed query parameters, space-separated; "*" = any, NULL = none
	const char *answer;         // name of the answer's schema in openapi.c
};

extern const struct route api_routes[];
extern const size_t api_nroutes;

// The dispatch function for http_config; arg is the struct app.
void api_dispatch(void *arg, struct http_request *rq, struct http_response *rs);

struct db *call_db(struct call *c);       // read snapshot for this call
void call_db_refresh(struct call *c);     // after a write: see it
struct site *call_site(struct call *c);
enum err call_fail(struct call *c, enum err err, const char *field, const char *zh, const char *en); // plain texts
bool call_is_en(const struct call *c);
struct str label_text(const struct call *c, struct label l);
void jw_klabel(struct jw *w, const char *key, struct label l); // {"zh":…,"en":…}
enum err query_time(struct call *c, const char *name, int64_t fallback, int64_t *ret) must_check; // RFC 3339
enum err query_int(struct call *c, const char *name, int64_t fallback, int64_t min, int64_t max, int64_t *ret) must_check;
enum err param_id(struct call *c, int at, int64_t *ret) must_check;
enum err call_done(struct call *c); // answers {"done":true}
enum err call_audit_items(struct call *c, struct str type, int64_t record, int64_t before, size_t limit) must_check; // {"items":[…]}
struct str body_str(const struct call *c, const char *key); // empty if absent or not a string

// handlers, one file a resource
api_handler session_login, session_logout, session_me, session_password, session_list, session_delete, demo_info, demo_login;
api_handler types_list, types_get;
api_handler records_list_get, records_create, records_get_one, records_patch, records_retire, records_move, records_history;
api_handler devices_key, devices_health, devices_command, readings_post;
api_handler points_get, points_series;
api_handler alarms_list, alarms_get, alarms_journal, alarms_act, rules_get;
api_handler map_base, map_objects;
api_handler duties_get, notices_get, notices_read, thread_get;
api_handler audit_get, audit_verify_get;
api_handler events_get, health_page, healthz_get, metrics_get, openapi_get;

// ---- events ------------------------------------------------------------------------------------
struct api_event {              // what http_publish hands to the streams' filter
	struct str area;            // of the record or alarm
	int64_t enterprise;
	struct str type;            // record type, or "alarm"
	int64_t person;             // only for this person, 0 = by scope
};
void api_publish_alarm(struct app *app, int64_t alarm);
void api_publish_record(struct app *app, const struct record_event *e);
