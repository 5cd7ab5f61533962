// The API on one screen: every route, who may, what it takes. /api/v1/openapi.json is made from this table.
#include "api/api.h"

#define P ACCESS_PUBLIC
#define S ACCESS_SESSION
#define D ACCESS_DEVICE

const struct route api_routes[] = {
	// method  path                                access may             body   handler           about
	{ "GET", "/healthz", P, NULL, false, healthz_get, "Liveness: 200 while the core serves and can make readings durable", NULL, "Health" },
	{ "GET", "/metrics", P, NULL, false, metrics_get, "Prometheus text, from loopback or with permission device.read", NULL, "Text" },
	{ "GET", "/api/v1/openapi.json", P, NULL, false, openapi_get, "This description", NULL, "Object" },

	{ "POST", "/api/v1/login", P, NULL, true, session_login, "Log in with name and password; sets the cookie too", NULL, "Login" },
	{ "POST", "/api/v1/logout", S, NULL, false, session_logout, "End this session", NULL, "Done" },
	{ "GET", "/api/v1/me", S, NULL, false, session_me, "Who I am and what I may", NULL, "Me" },
	{ "POST", "/api/v1/password", S, NULL, true, session_password, "Change my password {old,new}", NULL, "Done" },
	{ "GET", "/api/v1/sessions", S, NULL, false, session_list, "My sessions", NULL, "Items" },
	{ "DELETE", "/api/v1/sessions/:id", S, NULL, false, session_delete, "End one of my sessions", NULL, "Done" },
	{ "GET", "/api/v1/demo", P, NULL, false, demo_info, "Roles offered at one click (404 outside the demo)", NULL, "Demo" },
	{ "POST", "/api/v1/demo/login", P, NULL, true, demo_login, "Log in as a demo role, on loopback only", NULL, "Login" },

	{ "GET", "/api/v1/types", S, NULL, false, types_list, "Record types I may read", NULL, "Types" },
	{ "GET", "/api/v1/types/:type", S, NULL, false, types_get, "A type's description: the forms and lists are drawn from it", NULL, "Type" },
	{ "GET", "/api/v1/records/:type", S, NULL, false, records_list_get,
	  "A page of records; format=csv exports; where.FIELD=, where.FIELD.OP= with OP ne lt le gt ge in prefix null", "*", "Records" },
	{ "POST", "/api/v1/records/:type", S, NULL, true, records_create, "Create a record", NULL, "Record" },
	{ "GET", "/api/v1/records/:type/:id", S, NULL, false, records_get_one, "One record", NULL, "Record" },
	{ "PATCH", "/api/v1/records/:type/:id", S, NULL, true, records_patch, "Change fields; version is the optimistic lock", NULL, "Record" },
	{ "DELETE", "/api/v1/records/:type/:id", S, NULL, true, records_retire, "Retire the record {reason}; it stays readable", NULL, "Done" },
	{ "POST", "/api/v1/records/:type/:id/moves/:move", S, NULL, true, records_move, "Do a move of the record's workflow", NULL, "Record" },
	{ "GET", "/api/v1/records/:type/:id/history", S, NULL, false, records_history, "Who changed what, newest first", NULL, "Items" },

	{ "POST", "/api/v1/readings", D, NULL, false, readings_post, "Readings of a device; answered when they are on disk", NULL, "Pushed" },
	{ "POST", "/api/v1/devices/:id/key", S, "device.manage", true, devices_key, "Set or renew a device's key; shown once", NULL, "Key" },
	{ "POST", "/api/v1/devices/:id/command", S, "device.manage", true, devices_command, "Send {payload} to the device's command topic; waits for it in the queue if the device is away", NULL, "Command" },
	{ "GET", "/api/v1/devices/health", S, "device.read", false, devices_health, "Rates, refusals and last contact of every device", NULL, "Items" },
	{ "GET", "/api/v1/points/:id", S, "alarm.read", false, points_get, "A point (record id or code) with its newest value", NULL, "Point" },
	{ "GET", "/api/v1/points/:id/series", S, "alarm.read", false, points_series, "History: raw, or min/max/avg/last/count per step",
	  "from to step agg max format", "Series" },

	{ "GET", "/api/v1/alarms", S, "alarm.read", false, alarms_list, "Open alarms, or by state", "state point enterprise before size", "Alarms" },
	{ "GET", "/api/v1/alarms/:id", S, "alarm.read", false, alarms_get, "One alarm", NULL, "Alarm" },
	{ "GET", "/api/v1/alarms/:id/journal", S, "alarm.read", false, alarms_journal, "Everything that happened to the alarm", NULL, "Items" },
	{ "POST", "/api/v1/alarms/:id/:act", S, "alarm.handle", true, alarms_act,
	  "ack, shelve {reason,until}, unshelve, suppress {reason}, unsuppress, out_of_service {reason}, in_service, comment {reason}", NULL, "Alarm" },
	{ "GET", "/api/v1/rules", S, NULL, false, rules_get, "The alarm rules in words", NULL, "Items" },

	{ "GET", "/api/v1/map", S, NULL, false, map_base, "Areas and the base map, as GeoJSON", NULL, "Map" },
	{ "GET", "/api/v1/map/objects", S, "alarm.read", false, map_objects, "Enterprises, installations and points with their colours", NULL, "Objects" },
	{ "GET", "/api/v1/duties", S, NULL, false, duties_get, "What waits for me", NULL, "Items" },
	{ "GET", "/api/v1/notices", S, NULL, false, notices_get, "Messages to me", "unread size", "Items" },
	{ "POST", "/api/v1/notices/:id/read", S, NULL, false, notices_read, "I have read it", NULL, "Done" },
	{ "GET", "/api/v1/thread/:id", S, NULL, false, thread_get, "Everything on one thread of evidence", NULL, "Items" },
	{ "GET", "/api/v1/audit", S, "audit.read", false, audit_get, "The audit chain, newest first", "type record before size", "Items" },
	{ "GET", "/api/v1/audit/verify", S, "audit.read", false, audit_verify_get, "Recompute the chain", NULL, "Object" },
	{ "GET", "/api/v1/events", S, NULL, false, events_get, "Server-sent events: alarm, record, duty, map", NULL, "Stream" },
	{ "GET", "/api/v1/health", S, "device.read", false, health_page, "The state of the platform for its keeper", NULL, "Object" },
};
const size_t api_nroutes = ARRAY_LEN(api_routes);
