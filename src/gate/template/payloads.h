// packs/*/payloads/*.yaml → templates that gate/decode/template.h reads vendors' messages with (doc/payload.md has the keys).
// Every mistake is told with its place; each template must read its own examples.
#pragma once

#include "gate/decode/template.h"
#include "model/yaml.h"

struct named_template {
	struct str name;
	const struct payload_template *t;
};

// One template of its file's root. NULL if d got a mistake.
const struct payload_template *payload_load(const struct yaml_node *root, struct arena *a, struct diags *d);
// All of reg, in a. False if d got a mistake.
bool payloads_load(const struct registry *reg, struct arena *a, struct diags *d, struct named_template **ret, size_t *ret_n);
const struct named_template *payload_find(const struct named_template *v, size_t n, struct str name); // NULL: none
