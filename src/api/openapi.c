// OpenAPI 3.0 made from the route table, so that the two cannot part.
#include "api/api.h"

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
	const char *type = strcmp(schema, "Text") == 0 ? "text/plain" : strcmp(schema, "Stream") == 0 ? "text/event-stream" : "application/json";
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
	if (r->body || r->access == ACCESS_DEVICE) {
		jw_kobj(w, "requestBody");
		jw_kobj(w, "content");
		jw_kobj(w, "application/json");
		jw_kobj(w, "schema");
		if (r->access != ACCESS_DEVICE)
			jw_kcstr(w, "type", "object");
		jw_end(w);
		jw_end(w);
		jw_end(w);
		jw_end(w);
	}
	jw_karr(w, "security");
	if (r->access != ACCESS_PUBLIC) {
		jw_obj(w);
		jw_karr(w, r->access == ACCESS_SESSION ? "session" : "device");
		jw_end(w);
		jw_end(w);
	}
	jw_end(w);
	jw_kobj(w, "responses");
	bool created = r->run == records_create;
	write_response(w, created ? "201" : "200", created ? "Created" : "OK", r->answer);
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
	{ "Object", "{\"type\":\"object\"}" },
	{ "Health", "{\"type\":\"object\",\"required\":[\"status\"]}" },
	{ "Done", "{\"type\":\"object\",\"required\":[\"done\"]}" },
	{ "Items", "{\"type\":\"object\",\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":\"array\"}}}" },
	{ "Login", "{\"type\":\"object\",\"required\":[\"token\",\"me\"]}" },
	{ "Me", "{\"type\":\"object\",\"required\":[\"id\",\"name\",\"title\",\"roles\",\"may\"]}" },
	{ "Demo", "{\"type\":\"object\",\"required\":[\"demo\",\"roles\"]}" },
	{ "Types", "{\"type\":\"object\",\"required\":[\"types\"]}" },
	{ "Type", "{\"type\":\"object\",\"required\":[\"name\",\"label\",\"fields\",\"states\",\"moves\",\"lists\",\"can\"]}" },
	{ "Records", "{\"type\":\"object\",\"required\":[\"items\",\"total\",\"page\",\"size\"]}" },
	{ "Record", "{\"type\":\"object\",\"required\":[\"id\",\"version\",\"moves\",\"can\"]}" },
	{ "Pushed", "{\"type\":\"object\",\"required\":[\"accepted\",\"duplicates\",\"rejected\"]}" },
	{ "Command", "{\"type\":\"object\",\"required\":[\"state\"],\"properties\":{\"state\":{\"enum\":[\"delivered\",\"queued\"]}}}" },
	{ "Key", "{\"type\":\"object\",\"required\":[\"key\"]}" },
	{ "Point", "{\"type\":\"object\",\"required\":[\"id\",\"code\",\"unit\"]}" },
	{ "Series", "{\"type\":\"object\",\"required\":[\"point\",\"unit\",\"items\"]}" },
	{ "Alarms", "{\"type\":\"object\",\"required\":[\"items\",\"total\",\"counts\"]}" },
	{ "Alarm", "{\"type\":\"object\",\"required\":[\"id\",\"state\",\"active\",\"level\",\"color\",\"raised_at\"]}" },
	{ "Map", "{\"type\":\"object\",\"required\":[\"areas\",\"layers\"]}" },
	{ "Objects", "{\"type\":\"object\",\"required\":[\"enterprises\",\"installations\",\"points\"]}" },
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
		jw_raw(w, str_of(schemas[i].json));
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
