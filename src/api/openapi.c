// OpenAPI 3.0 made from the route table, so that the two cannot part.
#include "api/api.h"
#include "api/schema.h"

static void write_path_key(struct jw *w, struct arena *a, const char *path)
{
	struct buf out;
	buf_init(&out, 512);
	for (struct str rest = str_of(path); rest.n;) {
		struct str part = str_cut(&rest, '/');
		if (part.n && part.p[0] == ':')
			buf_printf(&out, "/{%.*s}", STR_FMT(str_skip(part, 1)));
		else if (part.n)
			buf_printf(&out, "/%.*s", STR_FMT(part));
	}
	jw_key_str(w, arena_str(a, buf_str(&out)));
	buf_free(&out);
}

static void write_parameter(struct jw *w, struct str name, const char *in)
{
	jw_obj(w);
	jw_kstr(w, "name", name);
	jw_kcstr(w, "in", in);
	jw_kbool(w, "required", strcmp(in, "path") == 0);
	jw_kobj(w, "schema");
	jw_kcstr(w, "type", "string");
	jw_end(w);
	jw_end(w);
}

static void write_parameters(struct jw *w, const struct route *r)
{
	jw_karr(w, "parameters");
	for (struct str rest = str_of(r->path); rest.n;) {
		struct str part = str_cut(&rest, '/');
		if (part.n && part.p[0] == ':')
			write_parameter(w, str_skip(part, 1), "path");
	}
	struct str query = str_of(r->query);
	while (query.n) {
		struct str name = str_cut(&query, ' ');
		if (!str_is(name, "*"))
			write_parameter(w, name, "query");
	}
	jw_end(w);
}

static void write_response(struct jw *w, const char *status, const char *about, const char *schema)
{
	jw_kobj(w, status);
	jw_kcstr(w, "description", about);
	const char *type = strcmp(schema, "Text") == 0 ? "text/plain" : strcmp(schema, "Lines") == 0 ? "application/x-ndjson" :
	                   strncmp(schema, "OgcFeature", 10) == 0 || strcmp(schema, "GeoJson") == 0 ? "application/geo+json" : strcmp(schema, "Stream") == 0 ? "text/event-stream" :
	                   strcmp(schema, "Tile") == 0 ? "application/vnd.mapbox-vector-tile" : strcmp(schema, "File") == 0 ? "application/octet-stream" : "application/json";
	jw_kobj(w, "content");
	jw_kobj(w, type);
	jw_kobj(w, "schema");
	jw_key(w, "$ref");
	struct buf ref;
	buf_init(&ref, 128);
	buf_printf(&ref, "#/components/schemas/%s", schema);
	jw_str(w, buf_str(&ref));
	buf_free(&ref);
	jw_end(w);
	jw_end(w);
	jw_end(w);
	jw_end(w);
}

static void write_body(struct jw *w, const struct route *r)
{
	static const char *const device_types[] = { "application/json", "application/senml+json", "application/senml+cbor" };
	bool device = r->access == ACCESS_DEVICE;
	jw_kobj(w, "requestBody");
	jw_kobj(w, "content");
	for (size_t i = 0; i < (device ? ARRAY_LEN(device_types) : 1); i++) {
		jw_kobj(w, r->body == BODY_FILE ? "application/octet-stream" : device_types[i]);
		jw_kobj(w, "schema");
		if (!device)
			jw_kcstr(w, "type", r->body == BODY_FILE ? "string" : "object");
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_end(w);
}

static void write_route(struct jw *w, const struct route *r)
{
	struct buf method;
	buf_init(&method, 16);
	for (const char *m = r->method; *m; m++)
		buf_add_u8(&method, (uint8_t)(*m | 0x20));
	jw_key_str(w, buf_str(&method));
	buf_free(&method);
	jw_obj(w);
	jw_kcstr(w, "summary", r->about);
	if (r->may)
		jw_kcstr(w, "x-permission", r->may);
	write_parameters(w, r);
	if (r->body || r->access == ACCESS_DEVICE)
		write_body(w, r);
	jw_karr(w, "security");
	if (r->access != ACCESS_PUBLIC) {
		jw_obj(w);
		jw_karr(w, r->access == ACCESS_SESSION ? "session" : "device");
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_kobj(w, "responses");
	bool created = r->run == records_create || r->run == views_create || r->run == files_post || r->run == documents_post ||
	               r->run == reports_run || r->run == tokens_create || r->run == comments_post || r->run == extension_post ||
	               r->run == delegations_post || r->run == zones_save || r->run == qra_post;
	bool later = r->run == imports_post || r->run == imports_run_post || r->run == imports_undo_post;
	bool away = r->run == oidc_begin || r->run == oidc_callback;
	write_response(w, away ? "303" : later ? "202" : created ? "201" : "200",
	               away ? "See Other" : later ? "Accepted" : created ? "Created" : "OK", r->answer);
	if (created || later) // a repetition, or nothing new
		write_response(w, "200", "OK", r->answer);
	write_response(w, "default", "An error in the caller's language", "Error");
	jw_end(w);
	jw_end(w);
}

static const struct {
	const char *name, *json;
} schemas[] = {
	{ "Error", "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{"
	           "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"field\":{\"type\":\"string\"},\"hint\":{\"type\":\"string\"}}}}}" },
	{ "Text", "{\"type\":\"string\"}" },
	{ "Stream", "{\"type\":\"string\"}" },
	{ "File", "{\"type\":\"string\",\"format\":\"binary\"}" },
	{ "FileInfo", "{\"type\":\"object\",\"required\":[\"id\",\"name\",\"size\",\"mime\",\"sm3\"]}" },
	{ "Made", "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"}}}" },
	{ "Import", "{\"type\":\"object\",\"required\":[\"id\",\"type\",\"state\",\"rows\",\"done\",\"created\",\"changed\",\"unchanged\",\"failed\",\"columns\","
	            "\"missing\",\"errors\",\"errors_total\"],\"properties\":{\"state\":{\"enum\":[\"checking\",\"checked\",\"running\",\"done\",\"undoing\","
	            "\"undone\",\"failed\"]},\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"row\",\"message\"]}}}}" },
	{ "Effects", "{\"type\":\"object\",\"required\":[\"id\",\"title\",\"at\",\"effects\"]}" },
	{ "Dossier", "{\"type\":\"object\",\"required\":[\"enterprise\",\"completeness\",\"sections\"]}" },
	{ "Documents", "{\"type\":\"object\",\"required\":[\"available\",\"issued\"]}" },
	{ "Issued", "{\"type\":\"object\",\"required\":[\"id\",\"number\",\"at\",\"file\",\"sm3\",\"anchor\",\"hash\"]}" },
	{ "Verdict", "{\"type\":\"object\",\"required\":[\"number\",\"genuine\",\"content\",\"chain\",\"void\"]}" },
	{ "Object", "{\"type\":\"object\"}" },
	{ "Health", "{status:str}" },
	{ "Done", "{\"type\":\"object\",\"required\":[\"done\"]}" },
	{ "Config", "{\"type\":\"object\",\"required\":[\"files\",\"pending\"],\"properties\":{\"files\":{\"type\":\"array\"},"
	            "\"pending\":{\"$ref\":\"#/components/schemas/ConfigCheck\"}}}" },
	{ "ConfigFile", "{\"type\":\"object\",\"required\":[\"path\",\"text\",\"own\"],\"properties\":{\"path\":{\"type\":\"string\"},"
	                "\"text\":{\"type\":\"string\"},\"own\":{\"type\":\"boolean\"}}}" },
	{ "ConfigCheck", "{\"type\":\"object\",\"required\":[\"ok\",\"refused\",\"digest\",\"errors\",\"changes\",\"effects\"],\"properties\":{"
	                 "\"ok\":{\"type\":\"boolean\"},\"refused\":{\"type\":\"boolean\"},\"digest\":{\"type\":\"string\"},"
	                 "\"errors\":{\"type\":\"array\"},\"changes\":{\"type\":\"array\"},\"effects\":{\"type\":\"array\"}}}" },
	{ "Counts", "{\"type\":\"object\",\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
	            "\"required\":[\"key\",\"title\",\"n\"]}}}}" },
	{ "Bulk", "{\"type\":\"object\",\"required\":[\"done\",\"failed\"],\"properties\":{\"done\":{\"type\":\"integer\"},\"failed\":{\"type\":\"array\","
	          "\"items\":{\"type\":\"object\",\"required\":[\"id\",\"code\",\"message\"]}}}}" },
	{ "Id", "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"}}}" },
	{ "Work", "{\"type\":\"object\",\"required\":[\"items\",\"total\"],\"properties\":{\"items\":{\"type\":\"array\"},\"total\":{\"type\":\"integer\"}}}" },
	{ "Items", "{\"type\":\"object\",\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":\"array\"}}}" },
	{ "Login", "{token:str, me:Me}" },
	{ "LoginWays", "{items:[{id:int, name:str}]}" },
	{ "DirectoryTest", "{ok:bool, steps:[{name:str, ok:bool, text:str}]}" },
	{ "Me", "{id:int, name:str, title:str, lang:str, roles:[{name:str, label:Label}], may:[str], area:str, enterprise:Ref|null,"
	  " second_factor:{on:bool, must:bool}, reveal:bool, demo:bool, county:{name:str}}" },
	{ "Demo", "{demo:bool, roles:[{name:str, label:Label, person:str}]}" },
	{ "Types", "{types:[{name:str, label:str, pack:str, icon:str, states:bool, can:[str]}], packs:[{name:str, label:str, about:str, section:str, first:[str]}]}" },
	{ "Type", "{name:str, label:str, pack:str, icon:str, about:str, number:str, title:str, geometry:str, groups:[{name:str, label:str}],"
	  " fields:[{name:str, is:str, label:str, help:str, group:str, need:bool}],"
	  " states:[{name:str, label:str, color:str, end:bool, who:[str], waits:[{label?:str, field?:str}]}],"
	  " moves:[{name:str, label:str, from:[str], to?:str, who:[str], needs:[str], asks:[str], reason:bool, sign:bool}],"
	  " lists:[{name:str, label:str, show:[str], open:bool, where:{}, order:[str]}], can:[str],"
	  " drawing?:{picture:str, spots:str, x:str, y:str, of:str, to:str, color:str}}" },
	{ "PublicTypes", "{county:str, items:[{name:str, label:str, about:str}]}" },
	{ "Catalogue", "{county:str, items:[{name:str, label:str, about:str, here:int, due?:{from:str, days:int, working:bool, in_time:int, late:int, missing:int, waiting:int}}]}" },
	{ "Publications", "{items:[{name:str, label:str, from:str, days:int, working:bool, in_time:int, late:int, missing:int, waiting:int,"
	  " items:[{id:int, number:str, title:str, is:'late'|'missing'|'waiting', due:time, on?:time}]}]}" },
	{ "Pipes", "{cut:bool, nodes:[PipeNode], sections:[{id:int, title:str, medium:str, joins?:[int], line?:{}}]}" },
	{ "PipesClosed", "{close:[PipeNode], cut:[PipeNode], sections:[{id:int, title:str, medium:str}], users:int, sources:int}" },
	{ "PipeNode", "{id:int, title:str, kind:str, users:int, key_user:str, closed:bool, position?:[num]}" },
	{ "PipeConflicts", "{zones:int, items:[{id:int, title:str, medium:str, zone:{id:int, title:str, kind:str}, metres:num}]}" },
	{ "RescueCoverage", "{uncovered:[{type:str, id:int, title:str, area:str, position:[num], persons:int, minutes?:num, station?:str}],"
	  " stations:[{id:int, title:str, kind:str, position:[num], km:num, persons:int, objects:int}], objects:int, objects_covered:int, persons:int, persons_covered:int}" },
	{ "Overlay", "{zones:int, cut:bool, items:[{zone:{type:str, id:int, title:str, level:str}, type:str, id:int, title:str, level:str, state:str, sector:str, area:str, position:[num]}]}" },
	{ "Season", "{name:str, enough:bool, needed:int, strength:num, factors:[num], months:[{period:str, value:num, trend?:num, season?:num, rest?:num}]}" },
	{ "Feed", "{title:str, number:str, items:[{type:str, label:str, id:int, number:str, title:str, state:str, state_label:str, level:str, level_label:str, area:str, area_title:str, sector:str, enterprise:str, changed_at:time, path:str}], refused:[str]}" },
	{ "ReportForm", "{county:str, kinds:[{value:str, label:str}], areas:[{code:str, name:str, centre?:[num]}], photos:int, photo_bytes:int}" },
	{ "Receipt", "{receipt:str, number:str}" },
	{ "ReportState", "{number:str, kind:str, received:time, state:str, label:str, ended:bool, merged?:str, satisfaction?:str, deadline?:time, accepted?:str, question?:str, reply?:str, replied?:str}" },
	{ "Similar", "{items:[{id:int, number:str, title:str, state:str, label:str, received:time, points:int, why:[str]}]}" },
	{ "ReportIdentity", "{name:str, phone:str}" },
	{ "PublicRecords", "{name:str, label:str, about:str, title:str, fields:[{name:str, is:str, label:str, unit:str, lines:bool}], items:[{}], total:int, page:int, size:int}" },
	{ "Records", "{items:[Record], total:int, page:int, size:int}" },
	{ "Record", "{id:int, number:str, title:str, state:str, area:str, area_title:str, enterprise:Ref|null, thread:int, version:int,"
	  " created_at:time|null, created_by:Ref|null, changed_at:time|null, changed_by:Ref|null, state_at:time|null, deadline:time|null,"
	  " escalated:int, retired:bool, moves:[any], can:[str], *:any}" },
	{ "Replay", "{from:time, to:time, subject:{kind:str, id:int, type:str, type_label:str, number:str, title:str, enterprise:int, area:str},"
	  " alarms:[{id:int, point:int, code:str, name:str, unit:str, enterprise:int, enterprise_title:str, rule_label:Label, say:Label, position:[num]|null, steps:[[any]]}],"
	  " events:[{at:time, kind:'alarm'|'action'|'message', what:str, label:str, actor:str, reason:str, title:str, alarm?:int, level?:str, before?:str, after?:str,"
	  " value?:num|null, unit?:str, noted?:bool, arrived_at?:time, type?:str, type_label?:str, record?:int, number?:str, channel?:str}],"
	  " points:[{id:int, code:str, name:str, unit:str, kind:str, enterprise:int, position:[num]|null, limits:Limits, gaps:[[time]], step_s?:num, items?:[[num]]}],"
	  " enterprises:[{id:int, title:str, position:[num]|null}], left_out:{points:int, trends:int, enterprises:int}}" },
	{ "DustAnswer", "{code:int, msg:str, data:null}" },
	{ "Pushed", "{accepted:int, duplicates:int, rejected:any}" },
	{ "Command", "{id:int, state:'delivered'|'queued'}" },
	{ "Commands", "{items:[{kind:str, label:Label, help:Label, params:[{name:str, min?:int, max?:int, step?:int, values?:[str]}]}]}" },
	{ "Key", "{key:str}" },
	{ "Point", "{id:int, code:str, name:str, kind:str, unit:str, enterprise:int, area:str, limits:Limits, doubt?:Doubt}" },
	{ "Doubt", "{reasons:['frozen'|'impossible'|'copied'|'drift'], since:time}" },
	{ "CalcModels", "{items:[{name:str, zh:str, en:str, source:str, family:str}], families:[{name:str, zh:str, en:str, about:Label}]}" },
	{ "CalcSchema", "{name:str, zh:str, en:str, source:str, valid?:Label, names:[str], inputs:[{name:str, kind:str, zh:str, en:str, required:bool, unit?:str, "
	  "min?:num, max?:num, default?:any, items?:[str], columns?:[any], note?:Label}], outputs:[{name:str, unit:str, zh:str, en:str}], "
	  "tables:[{name:str, source:str, columns:[str], rows:[[str]]}]}" },
	{ "CalcAnswer", "{model:str, outputs:any, warnings:[{zh:str, en:str}], source:str, valid?:Label, uncertain?:Label}" },
	{ "ZoneSchema", "{scenarios:[CalcSchema], weather:CalcSchema, substances:[{cas:str, name:str, names:str, toxic:bool, flammable:bool, liquid:bool, "
	  "dHc:num|null, boiling_K:num|null, rho:num|null, scenarios:[str]}]}" },
	{ "Zones", "{source:{at:[num], title:str, equipment:int, installation:int, enterprise:int}, scenario:str, scenario_label:Label, substance:any, inputs:any, "
	  "weather:{u:num, from:num, stability:str, T:num, RH:num, spread:num, live:bool, station?:str, station_distance?:num, measured?:time, age_s?:int, stale?:bool}, "
	  "zones:[{key:str, color:str, label:Label, value:num, unit:str, reach:num, upwind:num, half_width:num, area:num, ring:[[num]], band:[[num]], "
	  "people:{day:int, night:int}, people_this_wind:{day:int, night:int}, then:[{minutes:num, ring:[[num]]}]}], fronts:[num], places:[ZonePlace], places_left:int, "
	  "roads:[{name:str, kind:str, zone:str, length:num, close:[[num]]}], domino:[{order:int, from:int, from_title:str, to:int, to_title:str, distance:num, load:num, "
	  "limit:num, unit:str, target:str, probability:num|null, along:num|null, substance:str, scenario:str, next?:Label, inputs?:any, position:[num]}], domino_left:int, "
	  "safety:{required:num, nearer:[ZonePlace], register?:[{*:any}]}|null, warnings:[{zh:str, en:str}], steps:[{model:str, why:Label, inputs:any, answer:any}], ms:num}" },
	{ "GeoJson", "{type:'FeatureCollection', features:[{type:'Feature', properties:any, geometry:any}]}" },
	{ "Helpers", "{items:[{type:str, id:int, title:str, position:[num], metres:num, at?:time, age_s?:num}]}" },
	{ "Siting", "{version:int, field:str, from_outline:bool, required:num|null, places:[{id:int, title:str, label:any, day:num, night:num, distance:num, entered:num|null, nearer_by:num|null, too_near:bool, position:[num]}], rows:[{name:str, persons:num|null, distance_m:num}]}" },
	{ "ZoneComparison", "{cases:[{id:int, number:str, title:str, scenario?:any, substance?:str, inputs?:str, weather?:str, position?:[num], outlines:[{key:str, what:'ring'|'band', label:str, ring:[[num]]}]}], levels:[{level:str, a?:{*:num}, b?:{*:num}, more?:{*:num}}]}" },
	{ "ZoneVessels", "{items:[{id:int, title:str, medium:str, cas:str, volume:num|null, mass:num|null, position:[num]|null}]}" },
	{ "ZonePlace", "{type:str, id:int, title:str, kind:str, label:Label, color:str, zone:str, this_wind:bool, distance:num, day:int, night:int, minutes:num|null, position:[num]}" },
	{ "QraRun", "{id:int, number:str, name:str, state:str, working:bool, part:num, answer?:any}" },
	{ "Retention", "{kinds:[{kind:str, label:Label, days:int, hours_days?:int}],"
	               " items:[{month:time, points:int, blocks:int, bytes:int, roll_up_days:int, held:int, file:bool, file_bytes:int}]}" },
	{ "DropFiles", "{items:[{name:str, state:str, at:time, rows:int, accepted:int, duplicates:int, wrong:int, message?:str}]}" },
	{ "LastValues", "{items:[{id:int, code:str, value?:num, time?:time, quality?:str, doubt?:Doubt}]}" },
	{ "Columns", "{from:time, step_s:num, items:[{id:int, code:str, unit:str, count?:[int], bad?:[int], min?:[num|null], max?:[num|null], avg?:[num|null],"
	             " sum?:[num|null], first?:[num|null], last?:[num|null], quality?:[str|null], counts?:[{*:int}]}]}" },
	{ "Series", "{point:Point, unit:str, items:[any]}" },
	{ "Detect", "{early:{from:time, to:time, points:int, rules:[EarlyRule], open:int, hits:int, missed:int, prevented:int, lead_median_min?:num, lead_least_min?:num, lead_most_min?:num},"
	            " cost:{early_watches:int, early_left_out:int, doubt_watches:int, doubt_left_out:int, units:int, turns:int, reads:int, samples:int, unit_rows:int, errors:int, cpu_s:num}}" },
	{ "EarlyRule", "{rule:str, label?:Label, within_min?:num, every_s?:num, points:int, open:int, hits:int, missed:int, prevented:int, dropped:int, lead_median_min?:num, lead_least_min?:num, lead_most_min?:num}" },
	{ "DetectPoint", "{point:int, early:[{rule:str, label:Label, through?:time, values:int, levels:[{level:str, limit:num, at?:time, p10_min?:num, p50_min?:num, p90_min?:num, said:bool, lasts?:bool, raised?:time, until?:time}]}], doubt?:Doubt}" },
	{ "Units", "{items:[UnitState], total:int}" },
	{ "UnitState", "{id:int, number:str, title:str, state:str, state_label?:Label, enterprise:int, version:int, alerts_open:int, alerts_confirmed:int, alerts_false:int, live?:UnitLive}" },
	{ "UnitLive", "{state:'waits'|'runs'|'no_version'|'changed', version:int, rows:int, gaps:int, flagged:int, at?:time, score?:num, flag?:bool, causes?:[UnitCause], since?:time, recent?:[any]}" },
	{ "UnitCause", "{point:int, code?:str, name?:str, share:num}" },
	{ "Unit", "{id:int, number:str, title:str, state:str, state_label?:Label, enterprise:int, version:int, alerts_open:int, alerts_confirmed:int, alerts_false:int, live?:UnitLive,"
	          " points:[{point:int, code?:str, name?:str}], wrong?:str, versions:[{version:int, at:time, by:str, from:time, to:time, interval_s:num, rows:int, gaps:int, checksum:str, summary:UnitSummary}]}" },
	{ "UnitSummary", "{model:str, used:int, columns:[{point:int, judged:'level'|'moving'|'constant'}], limits:[num], spectrum:[num]}" },
	{ "UnitLearned", "{version:int, rows:int, gaps:int, checksum:str, summary:UnitSummary}" },
	{ "UnitTrial", "{version:int, from:time, to:time, episodes:[{from:time, to?:time, peak:num, causes:[UnitCause]}], episodes_total:int, rows:int, gaps:int, flagged:int, scores:[any]}" },
	{ "AlarmKpi", "{from:time, to:time, targets:{per_hour:int, peak_10min:int, peak_hour:int, flood_percent:int, busy_hours_percent:int, per_day:int, per_day_most:int, stale:int, top_percent:int,"
	  " priorities:{red:int, orange:int, yellow:int, blue:int}}, top_percent:num, total:KpiNumbers, groups:[KpiNumbers],"
	  " priorities:{red:int, orange:int, yellow:int, blue:int}, actors:[KpiActor], chattering:[KpiActor], fleeting:[KpiActor], hidden:{shelved:int, suppressed:int, out_of_service:int},"
	  " unrationalised:[{rule:str, rule_label:Label, n:int}], reviews_due:int, standing:[KpiOpen], stale:[KpiOpen],"
	  " operators:[{person:int, name:str, acks:int, response_s:num}]}" },
	{ "KpiNumbers", "{key:str, title:str, activations:int, per_hour:num, per_day:num, load:str, busy_hours_percent:num, peak_10min:int, peak_hour:int, floods:int, flood_percent:num, above_percent:num}" },
	{ "KpiActor", "{point:int, name:str, rule:str, rule_label:Label, n:int}" },
	{ "KpiOpen", "{alarm:int, point:int, name:str, rule:str, rule_label:Label, color:str, since:time}" },
	{ "AlarmFlood", "{flood:bool, since?:time, count:int, minutes:int, groups:[{installation:int, enterprise:int, title:str, n:int, first?:{alarm:int, name:str, say:Label, at:time}}]}" },
	{ "Suppressed", "{items:[Alarm], windows:[{id:int, number:str, from:time, until:time, reason:str, approver:str, enterprise:int, hidden:int, overrun:bool}],"
	  " causes:[{id:int, rule:str, since:time, alarm:int, point:int, name:str, say:Label, enterprise:int, hidden:int}]}" },
	{ "Rationale", "{rationale:Record|null}" },
	{ "Releases", "{all:bool, items:[{id:int, seq:int, message:str, level:str, at:time, by:str, reason:str, text:Label, expires?:time, tier:int, in_force:bool,"
	  " mine:bool, counts:{told:int, read:int, confirmed:int, late:int}, receipts:[{person:int, name:str, tier:int, told_at:time, sent:int,"
	  " read_at?:time, confirmed_at?:time, confirmed_by:str, note:str, late:bool, next_at?:time, messages:[{channel:str, state:str}]}]}]}" },
	{ "Alarms", "{items:[Alarm], total:int, counts:{*:int}}" },
	{ "Alarm", "{id:int, state:str, active:bool, level:str, color:str, raised_at:time, *:any}" },
	{ "Map", "{bounds:[num]|null, areas:[{code:str, name:str, *:any}], layers:{*:any}}" },
	{ "Objects", "{points:[{id:int, code:str, name:str, kind:str, position:[num]|null, color:str, unit:str, enterprise:int, installation:int, doubt?:Doubt}],"
	  " enterprises:[MapThing], installations:[MapThing], at:time}" },
	{ "Tile", "{\"type\":\"string\",\"format\":\"binary\"}" },
	{ "TileLayers", "{items:[{layer:str, label:str, url:str, kind:'point'|'area', risk:bool, live:bool, z_max:int, z_titles:int}]}" },
	{ "MapAreas", "{items:[{code:str, level:str, total:int, grey:int, green:int, blue:int, yellow:int, orange:int, red:int}]}" },
	{ "MapPositions", "{items:[{device:int, code:str, name:str, tag:str, what:'vehicle'|'person', enterprise:int, position:[num], at:time, age_s:num, stale:bool,"
	  " speed?:num, heading?:num, zone?:num, alarm?:bool, points:{lon:int, lat:int}}], at:time}" },
	{ "Cameras", "{items:[{id:int, title:str, enterprise:int, part:str, part_label:str, link:'unknown'|'online'|'offline', fetched:bool, position:[num], metres?:num,"
	  " still_at?:time, why?:str}], total:int, online:int, offline:int, unknown:int, m?:num}" },
	{ "StillAsked", "{asked:bool, at:time}" },
	{ "Tally", "{points:int, live:int}" },
	{ "SensingCoverage", "{items:[{id:int, title:str, area:str, sector:str, people:Tally, equipment:Tally, process:Tally, storage:Tally, logistics:Tally,"
	  " environment:Tally, dimensions:int}], total:int, dimensions:[{name:str, enterprises:int, points:int, live:int}], at:time}" },
	{ "SensingRisks", "{items:[{type:str, type_label:str, major:bool, measured:Tally, color:str, newest?:time, checked?:str, tanks?:Tally,"
	  " shown:[{id:int, name:str, unit:str, value:num|null, color:str}], record:Record}], total:int, major:int, online:int, rate:num|null, tanks:int,"
	  " tanks_live:int, tanks_rate:num|null, at:time}" },
	{ "MapFences", "{items:[{id:int, name:str, kind:str, enterprise:int, in_force:bool, reach_m:num, shape:{*:any}}]}" },
	{ "MapFound", "{items:[{type:str, id:int, title:str, level:str, state:str, sector:str, area:str, position:[num], metres?:num}],"
	  " layers:[{layer:str, total:int, grey:int, green:int, blue:int, yellow:int, orange:int, red:int}]}" },
	{ "Label", "{zh:str, en:str}" },
	{ "Ref", "{id:int, title:str}" },
	{ "Sessions", "{items:[{id:int, created_at:time, seen_at:time, peer:str, current:bool}]}" },
	{ "TotpStart", "{secret:str, uri:str, qr:[str]}" },
	{ "TotpConfirm", "{done:bool, recovery:[str]}" },
	{ "Token", "{id:int, person:int, name:str, scopes:[str], created_at:time, expires_at:time, seen_at:time|null, peer:str, token?:str}" },
	{ "Tokens", "{items:[Token]}" },
	{ "TokenNew", "Token" },
	{ "Roles", "{items:[{name:str, label:Label}]}" },
	{ "Reach", "{role:str, label:Label, may:[str], manages:[str], unmask:'no'|'reason'|'always', second_factor:bool, types:[{type:str, label:Label,"
	  " read:bool, create:bool, edit:bool, retire:bool, export:bool, moves:[{name:str, from:[str], to:str, as_person:bool}],"
	  " editable:[str], masked:[str], hidden:[str]}]}" },
	{ "Reveal", "{values:{*:any}}" },
	{ "History", "{items:[{seq:int, at:time, actor:Ref, action:str, type:str, record:int, detail:any}]}" },
	{ "AuditVerdict", "{ok:bool, entries:int, head:str, message?:str}" },
	{ "Anchors", "{items:[{seq:int, at:time, hash:str}]}" },
	{ "Lines", "str" },
	{ "Limits", "{ll?:num, l?:num, h?:num, hh?:num}" },
	{ "FenceTrial", "{from:time, to:time, movers:int, movers_left_out:int, positions:int, alarms:int, items:[{point:int, device?:int, name?:str, tag?:str, what:str, from:time, to:time|null, value:num|null, limit:num|null, position:[num]}]}" },
	{ "Backtest", "{from:time, to:time, window_h:num, items:[BacktestItem], total:{stored:BacktestTotal, candidate?:BacktestTotal}}" },
	{ "BacktestItem", "{point:{id:int, code:str, name:str, kind:str, unit:str}, chatter_window_s:num, stored:BacktestSide, candidate?:BacktestSide,"
	  " suggestion?:{found:bool, reached:bool, changes:{deadband:num|null, delay_on_s:num|null, delay_off_s:num|null}, of:'alarms'|'chatter', remove:num,"
	  " delay_s:num, before:int, after:int, before_chatter:int, after_chatter:int, kept_confirmed:int, kept_long:int, keep_s:num, later_s:num, tried:int,"
	  " searched_from:time}}" },
	{ "BacktestSide", "{settings:{ll:num|null, l:num|null, h:num|null, hh:num|null, deadband:num|null, delay_on_s:num|null, delay_off_s:num|null},"
	  " figures:{samples:int, days:num, alarms:int, per_day:num, chatter:int, standing:int, night:int, most_10min:int, active_s:num, events:int, preceded:int,"
	  " least_lead_min:num|null, notices:int|null, night_notices:int|null, by_level:{*:int}},"
	  " events:[{at:time, type?:str, id?:int, number?:str, title?:str, alarm:time|null, lead_min:num|null}],"
	  " alarms:[{rule:str, level:str, color:str, from:time, to:time|null, limit:num|null, extreme:num, extreme_at:time, announced:bool, chatter:bool}],"
	  " alarms_total:int}" },
	{ "BacktestTotal", "{samples:int, alarms:int, per_day:num, chatter:int, standing:int, night:int, notices:int, night_notices:int}" },
	{ "Rules", "{items:[{name:str, label:Label, file:str, words:Label}]}" },
	{ "PlatformHealth", "{version:str, started:time, series:str, readings:int, duplicates:int, late:int, damaged:int, damaged_point?:str, points:int, devices:int, event_streams:int, demo:bool, disk_free?:int, disk_size?:int, clock_set_at?:time, clock_set_by_s?:num}" },
	{ "DevicesHealth", "{items:[{id:int, code:str, name:str, enterprise:int, points:int, doubts:int, area:str, disabled:bool, online:bool, clock:'unknown'|'ok'|'warn'|'bad', clock_off_s?:num, lag_s?:num, clock_leaps:int, clock_leap_at?:time, clock_leap_s?:num, "
	                   "hour:Share, day:Share}], total:{devices:int, online:int, hour:Share, day:Share}, "
	                   "enterprises:[{enterprise:int, devices:int, online:int, hour:Share, day:Share}], areas:[{area:str, devices:int, online:int, hour:Share, day:Share}], unknown:[any]}" },
	{ "Share", "{received:num, expected:num, complete?:num, online?:num}" },
	{ "Duties", "{items:[{type:str, id:int, number:str, title:str, state:str, deadline?:time, since:time, escalated:int}]}" },
	{ "Late", "{total:int, enterprise:int, items:[{type:str, type_label:Label, state:str, state_label:Label, who:[str], enterprise:bool, n:int, oldest:time}],"
	          " areas:[{code:str, n:int}], enterprises:[{id:int, title:str, n:int}]}" },
	{ "Quality", "{days:int, before:time, items:[{type:str, label:str, pack:str, about:str, records:int, newest?:time, missing:int, fields:[{name:str, label:str, n:int}],"
	             " stale:int, open:[str], doubled:int|null, code:int|null, typed:int, imported:int, opened:int}], left:[{type:str, label:str}]}" },
	{ "Notices", "{items:[{id:int, at:time, text:Label, type:str, record:int, read:bool}]}" },
	{ "Thread", "{thread:int, items:[{kind:str, id:int, *:any}]}" },
	{ "MapThing", "{id:int, title:str, number:str, position:[num]|null, color:str, points:int, alarms:int, area:str, enterprise:int}" },
	{ "OgcLink", "{href:str, rel:str, type:str}" },
	{ "OgcLanding", "{title:str, description:str, links:[OgcLink]}" },
	{ "OgcConformance", "{conformsTo:[str]}" },
	{ "OgcCollection", "{id:str, title:str, description:str, itemType:'feature', crs:[str], extent:{spatial:any, temporal:any}, links:[OgcLink]}" },
	{ "OgcCollections", "{links:[OgcLink], collections:[OgcCollection]}" },
	{ "OgcFeature", "{type:'Feature', id:int, geometry:{type:str, coordinates:[any]}|null, properties:{*:any}, links?:[OgcLink]}" },
	{ "OgcFeatures", "{type:'FeatureCollection', features:[OgcFeature], links:[OgcLink], timeStamp:time, numberMatched?:int, numberReturned:int}" },
};

enum err openapi_get(struct call *c)
{
	struct jw *w = &c->w;
	jw_obj(w);
	jw_kcstr(w, "openapi", "3.0.3");
	jw_kobj(w, "info");
	jw_kcstr(w, "title", "Anlan 安澜");
	jw_kcstr(w, "version", c->app->version);
	jw_end(w);
	jw_kobj(w, "paths");
	for (size_t i = 0; i < api_nroutes; i++) {
		bool first = true;
		for (size_t k = 0; k < i; k++)
			first &= strcmp(api_routes[k].path, api_routes[i].path) != 0;
		if (!first)
			continue;
		write_path_key(w, c->arena, api_routes[i].path);
		jw_obj(w);
		for (size_t k = i; k < api_nroutes; k++)
			if (strcmp(api_routes[k].path, api_routes[i].path) == 0)
				write_route(w, &api_routes[k]);
		jw_end(w);
	}
	jw_end(w);
	jw_kobj(w, "components");
	jw_kobj(w, "schemas");
	for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
		jw_key(w, schemas[i].name);
		if (schemas[i].json[0] == '{' && schemas[i].json[1] == '"')
			jw_raw(w, str_of(schemas[i].json));
		else if (!schema_write(w, schemas[i].json))
			return ERR_BUG;
	}
	jw_end(w);
	jw_kobj(w, "securitySchemes");
	jw_key(w, "session");
	jw_raw(w, STR("{\"type\":\"http\",\"scheme\":\"bearer\"}"));
	jw_key(w, "device");
	jw_raw(w, STR("{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"device code and key\"}"));
	jw_end(w);
	jw_end(w);
	jw_end(w);
	return OK;
}
