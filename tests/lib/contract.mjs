// Every answer of a test's server is held against the description it gives of itself (/api/v1/openapi.json).
const kinds = {
  integer: Number.isInteger, number: (v) => typeof v === 'number', string: (v) => typeof v === 'string', boolean: (v) => typeof v === 'boolean',
  null: (v) => v === null, array: Array.isArray, object: (v) => v !== null && typeof v === 'object' && !Array.isArray(v),
};

// The part of JSON Schema that our descriptions use. Returns what is wrong, as lines.
export function mismatches(schema, value, doc, at = '$', seen = null) {
  if (schema.$ref) {
    const target = doc.components.schemas[schema.$ref.split('/').at(-1)];
    return target ? mismatches(target, value, doc, at, seen) : [`${at}: ${schema.$ref} is not described`];
  }
  if (schema.anyOf) {
    const all = schema.anyOf.map((s) => mismatches(s, value, doc, at, seen));
    return all.some((e) => !e.length) ? [] : [`${at}: none of ${schema.anyOf.length} forms fits: ${all.flat().slice(0, 3).join('; ')}`];
  }
  if (schema.enum) return schema.enum.includes(value) ? [] : [`${at}: ${JSON.stringify(value)} is none of ${schema.enum}`];
  if (schema.type && !kinds[schema.type](value)) return [`${at}: ${JSON.stringify(value)?.slice(0, 80)} is no ${schema.type}`];
  if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) return [`${at}: ${value} is no time`];
  if (schema.type === 'array') return schema.items ? value.flatMap((v, i) => mismatches(schema.items, v, doc, `${at}[${i}]`, seen)) : [];
  if (schema.type !== 'object') return [];
  const out = (schema.required ?? []).filter((k) => !(k in value)).map((k) => `${at}: ${k} is missing`);
  for (const [k, v] of Object.entries(value)) {
    const s = schema.properties?.[k] ?? schema.additionalProperties;
    if (s) out.push(...mismatches(s, v, doc, `${at}.${k}`, seen));
    else if (seen) seen(at, k);
  }
  return out;
}

const compiled = new WeakMap(); // of a description: each address as a pattern, made once
const patterns = (doc) => compiled.get(doc) ?? compiled.set(doc, Object.entries(doc.paths).map(([pattern, methods]) => (
  { pattern, methods, params: pattern.split('{').length, fits: new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`) }))).get(doc);

export function operation(doc, method, path) {
  const plain = path.split('?')[0];
  let best = null;
  for (const { pattern, methods, params, fits } of patterns(doc)) {
    const op = methods[method.toLowerCase()];
    if (op && (!best || params < best.params) && fits.test(plain)) best = { params, op, pattern };
  }
  return best;
}

// What is wrong with the answer, or null.
export function breach(doc, method, path, status, type, json) {
  const found = operation(doc, method, path);
  if (!found || !/json/.test(type ?? '') || /ndjson/.test(type)) return null;
  const responses = found.op.responses;
  const media = (responses[status] ?? (status >= 400 ? responses.default : null))?.content;
  if (!media) return status >= 200 && status < 300 ? `${method} ${path}: ${status} is not described` : null;
  const schema = (media['application/json'] ?? Object.values(media)[0]).schema;
  const wrong = mismatches(schema, json, doc);
  return wrong.length ? `${method} ${path} (${status}) does not fit ${schema.$ref ?? 'its schema'}:\n  ${wrong.slice(0, 8).join('\n  ')}` : null;
}
