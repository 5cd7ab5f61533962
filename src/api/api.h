// Inside of api/: one call, its route, and the helpers every resource file uses.
#pragma once

#include <jansson.h>

#include "api/app.h"
#include "base/jw.h"
#include "base/limits.h"
#include "gate/decode/downlink.h"
#include "store/files.h"

enum access {
	ACCESS_PUBLIC,   // anyone
	ACCESS_SESSION,  // a person who is logged in
	ACCESS_DEVICE,   // a device with its key
};

enum body {              // true and false in the table are BODY_JSON and BODY_NONE
	BODY_NONE,
	BODY_JSON,
	BODY_FILE,       // bytes of a file, streamed to disk: call_upload()
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
	int status;                 // of the error instead of the usual one; 0 = usual
	struct str idempotency_key; // of the header, or empty
	uint8_t idempotency_digest[32]; // of query and body
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
	enum body body;             // JSON: parsed before the handler runs
	api_handler *run;
	const char *about;          // one line, English
	const char *query;          // allowed query parameters, space-separated; "*" = any, NULL = none
	const char *answer;         // name of the answer's schema in openapi.c; "File": bytes
};

extern const struct route api_routes[];
extern const size_t api_nroutes;
// The part of the API a personal access token must be made for to be taken here: "records", "readings", "ogc", "any";
// NULL: only a session is.
const char *route_reach(const struct route *r);

// The dispatch function for http_config; arg is the struct app.
void api_dispatch(void *arg, struct http_request *rq, struct http_response *rs);

// The planner for http_config: which bodies go to disk, which requests take long. arg as above.
void api_plan(void *arg, struct http_request *rq, struct http_plan *ret);

struct file_in *call_upload(struct call *c); // the body of a BODY_FILE route, not ended; NULL: too many at once
// A file as the answer. shown: the browser may show it (images, PDF), else it is saved.
enum err call_file(struct call *c, int fd, int64_t size, struct str mime, struct str name, bool shown);
struct db *call_db(struct call *c);       // read snapshot for this call
void call_db_refresh(struct call *c);     // after a write: see it
struct site *call_site(struct call *c);
enum err call_fail(struct call *c, enum err err, const char *field, const char *zh, const char *en); // plain texts
bool call_is_en(const struct call *c);
bool call_same_origin(const struct call *c); // a browser sent it from our own pages, or no browser did
struct str label_text(const struct call *c, struct label l);
void jw_klabel(struct jw *w, const char *key, struct label l); // {"zh":…,"en":…}
enum err query_time(struct call *c, const char *name, int64_t fallback, int64_t *ret) must_check; // RFC 3339
enum err query_int(struct call *c, const char *name, int64_t fallback, int64_t min, int64_t max, int64_t *ret) must_check;
enum err query_real(struct call *c, const char *name, double min, double max, double *ret) must_check; // it must be there
enum err param_id(struct call *c, int at, int64_t *ret) must_check;
enum err call_type(struct call *c, const struct type **ret) must_check; // the type of the path, if the caller may read it
// The row, if it lies in the caller's scope; ERR_NOT_FOUND says so in p. Over call_db, or in a job over the job's own.
enum err call_row(const struct call *c, struct db *db, const struct type *t, int64_t id, struct row *ret, struct problem *p) must_check;
// /THING/:id: the id, if the caller may change records of type t (NULL: the pack is not in force); no: what to say if not.
enum err call_may_edit(struct call *c, const struct type *t, int64_t *ret_id, const char *no_zh, const char *no_en) must_check;
// /records/:type/:id: the type and row, if the caller may see them.
enum err call_record(struct call *c, const struct type **ret_type, int64_t *ret_id, struct row *ret) must_check;
// Points by code or record id, in the caller's scope; field: the parameter that is at fault.
enum err call_point(struct call *c, struct str name, const char *field, const struct site_point **ret) must_check;
enum err call_points(struct call *c, const struct site_point ***ret, size_t *ret_n) must_check; // ?points=
void write_doubt(struct call *c, uint32_t point); // member doubt of an open object, if its data are in doubt
enum err call_span(struct call *c, int64_t *ret_from, int64_t *ret_to) must_check; // ?from&to; without: the last hour
enum err call_device(struct call *c, int64_t *ret_id) must_check; // param[0]: a device in the caller's scope
enum err call_done(struct call *c); // answers {"done":true}
enum err session_answer(struct call *c, const char *token) must_check; // of a login: cookie, token, who it is
enum err call_audit_items(struct call *c, struct str type, int64_t record, int64_t before, size_t limit) must_check; // {"items":[…]}
struct str body_str(const struct call *c, const char *key); // empty if absent or not a string

// ---- idempotent.c ------------------------------------------------------------------------------
enum err idempotent_before(struct call *c, bool *ret_answered) must_check; // answered: it was done already
enum err idempotent_claim(struct db *db, struct call *c, int64_t record) must_check; // in the job that makes or changes the record
enum err idempotent_after(struct call *c) must_check;
// After an error: what the same request, sent twice at once, was answered the other time; err if it is nobody's repetition.
enum err idempotent_meanwhile(struct call *c, enum err err) must_check;
enum err records_answer(struct call *c, int64_t id, int status) must_check; // the record of param[0] as after its creation or change

// ---- commands.c: records of type device_command, for core/ too ----------------------------------
struct device_command {
	int64_t id, device, created; // created: UTC us
	struct command c;
	struct str payload;          // from the arena
	const struct downlink *downlink; // of the device's protocol
};
// What a record asks for; err: the device's protocol cannot do it, *ret is filled all the same.
enum err device_command_read(struct db *db, const struct registry *reg, const struct row *row, struct arena *a, struct device_command *ret,
                             struct problem *p) must_check;
enum err device_commands_open(struct db *db, const struct registry *reg, int64_t device, size_t limit, struct arena *a, struct row **ret,
                              size_t *ret_n, int64_t *ret_total, struct problem *p) must_check;

// handlers, one file a resource
api_handler session_login, session_logout, session_me, session_password, session_list, session_delete, demo_info, demo_login;
api_handler login_ways, oidc_begin, oidc_callback, oidc_finish, directory_secret_post, directory_test_post;
api_handler ogc_landing, ogc_conformance, ogc_collections, ogc_collection, ogc_items, ogc_item;
api_handler roles_get, roles_reach;
api_handler totp_start, totp_confirm, totp_remove, tokens_get, tokens_create, tokens_delete;
api_handler types_list, types_get, types_versions;
api_handler config_get, config_file, config_check_post, config_apply_post, config_versions_get;
api_handler records_list_get, records_create, records_get_one, records_patch, records_retire, records_move, records_history, records_reveal;
api_handler records_counts_get, records_bulk, views_get, views_create, views_delete;
api_handler files_post, files_get;
api_handler template_get, imports_post, imports_get, imports_list, imports_run_post, imports_undo_post;
api_handler dossier_get, effects_get, documents_get, documents_post, documents_preview, documents_void, documents_batch;
api_handler reports_list, reports_run, reports_preview, verify_get, verify_page;
api_handler devices_key, devices_health, devices_command, devices_commands, readings_post, dust_post, drop_get;
api_handler calc_list, calc_schema, calc_post;
api_handler qra_post, qra_get;
struct refusal;
// A decrypted body of the gateway family as readings of c->device. ERR_PARSE: nothing was read, and why.
enum err readings_of_gateway(struct call *c, struct str body, struct refusal *why);
api_handler points_get, points_series, points_last, series_get, readings_export, retention_get;
api_handler alarms_kpi, alarms_flood, alarms_rationale, alarms_suppressed;
api_handler alarms_list, alarms_get, alarms_journal, alarms_act, rules_get;
api_handler backtest_post, fences_try, replay_get, replay_case_post;
api_handler detect_get, detect_point;
api_handler units_list, units_get, units_learn, units_trial;
api_handler cameras_get, camera_still, camera_ask;
api_handler sensing_coverage, sensing_risks;
api_handler map_base_get, map_objects, map_within_get, map_overlay_get, map_areas_get, map_positions, map_fences, tiles_list, tiles_get;
struct map_placings *map_placings_new(void); // positions.c
api_handler zones_get, zones_vessels, zones_post, zones_save, zones_geojson, zones_compare;
api_handler siting_get;
api_handler pipes_get, pipes_close, pipes_near, pipes_conflicts;
api_handler rescue_coverage;
api_handler late_get, quality_get;
api_handler work_get, work_counts, work_calendar, delegations_get, delegations_post, delegations_end, schedules_get;
api_handler comments_get, comments_post, extension_get, extension_post, extension_decide;
api_handler releases_get, receipt_post, cap_get;
api_handler duties_get, notices_get, notices_read, thread_get;
api_handler audit_get, audit_verify_get, audit_export_get, audit_anchors_get;
api_handler audit_get, audit_verify_get;
api_handler indicators_list, indicators_get, indicators_records, indicators_series, indicators_season, public_indicators;
api_handler public_types, public_type, public_feed, subscription_get;
api_handler index_list, index_rank, index_why, index_trend, index_changes, index_backtest, index_records_get;
api_handler assessments_get, sheets_get, sheets_post;
api_handler notify_log, notify_test_post, notify_secret_post, notify_receipt_post;
api_handler events_get, health_page, healthz_get, metrics_get, openapi_get;

// ---- levels.c: what measurements and alarms say of a place --------------------------------------
enum map_color alarm_map_color(struct str color); // of an alarm
// Has the point a trustworthy value that is not too old? *ret: its last, if it has any.
bool point_is_live(struct app *app, const struct site *site, const struct site_point *p, int64_t now, struct sample *ret);
// The colours of all points, enterprises and installations now; in a. n: at least so many of each kind, 0 = as many as there are.
enum err api_map_levels(struct app *app, const struct site *site, struct db *db, const size_t n[MAP_LIVES], struct arena *a,
                        struct map_levels *ret) must_check;
// May he have the type as a layer of points? Filled if so.
bool call_map_source(struct call *c, const struct type *t, struct map_source *ret);
// The layer of that name, if he may have it; and what by, level, sector and state of the query ask of it.
enum err call_map_layer(struct call *c, struct str name, const struct type **ret, struct map_layer **ret_layer) must_check;
// The field of the type's border, if it has one and he may see it; and its tile.
const struct field *call_area_field(struct call *c, const struct type *t);
enum err area_tile(struct call *c, const struct type *t, struct tile tile) must_check;
enum err call_map_ask(struct call *c, const struct type *t, struct map_ask *ret) must_check;

api_handler report_form, report_post, report_desk, report_query, report_words, report_rate, report_identity, report_similar;
api_handler draw_post, draw_experts, credit_post, control_post, patrol_post, distress_get, study_post, responsible_get, record_case_post;
api_handler exams_mine, exams_sit, exams_statistics, sittings_get, sittings_answer, sittings_hand_in;

// ---- public.c: pages for everybody --------------------------------------------------------------
// Runs the handler for nobody in particular, for as many as fit; its answer may be kept (RFC 9110 8.8.3, 13.1.2).
enum err public_answer(struct call *c, api_handler *run) must_check;
// The condition, and that a record lies in, below or above the area of the query, if there is one.
enum err public_area(struct call *c, const struct condition *published, const struct condition **ret) must_check;
api_handler public_catalogue, publications_list;
enum public_use { PUBLIC_READ, PUBLIC_REPORT, PUBLIC_RECEIPT, PUBLIC_USES };
enum err public_room(struct call *c, enum public_use use) must_check; // ERR_THROTTLED: this address has had its share for now

// ---- events ------------------------------------------------------------------------------------
struct api_event {              // what http_publish hands to the streams' filter
	struct place place;         // of the record or alarm
	struct str type;            // record type, or "alarm"
	int64_t person;             // only for this person, 0 = by scope
	bool everybody;             // says nothing that anyone who is logged in may not know
};
void api_publish_alarm(struct app *app, int64_t alarm);
void api_publish_record(struct app *app, const struct record_event *e);
void api_publish_config(struct app *app); // other packs are in force
// Something at these n objects of the layer is new (where they were or are): to each reader those that are his. More than
// LIMIT_MAP_TOLD: to everybody that much is.
void api_publish_map(struct app *app, struct str layer, const struct map_object *v, size_t n);
