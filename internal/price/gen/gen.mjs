// Makes book.json from an unpacked npm package @pydantic/genai-prices (MIT).
//
//   npm pack @pydantic/genai-prices@0.1.8 && tar xzf pydantic-genai-prices-0.1.8.tgz
//   node gen/gen.mjs package 2026-09-23 > book.json
//
// The package ships no JSON: its providers are an array literal at the head of
// dist/index.js, which ends at the first line that starts with a bracket. Only
// what pricing reads is kept; descriptions and extractors are left out.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [dir, date] = process.argv.slice(2);
const source = readFileSync(`${dir}/dist/index.js`, "utf8");
const { name, version, license } = JSON.parse(readFileSync(`${dir}/package.json`, "utf8"));
const head = "const E = ";
const start = source.indexOf(head) + head.length;
const end = source.indexOf("\n]", start) + 2;
const array = source.slice(start, end);
const providers = new Function(`return ${array}`)();

// Go's regular expressions have no look-around. Each rewrite is checked by hand
// to match the same model names; an unknown one stops the generation.
const rewrites = JSON.parse(readFileSync(new URL("rewrites.json", import.meta.url)));
const walk = (match) => {
  if (!match) return undefined;
  for (const k of ["or", "and"]) if (k in match) return { [k]: match[k].map(walk) };
  if ("regex" in match && /\(\?(=|!|<=|<!)/.test(match.regex)) {
    const to = rewrites[match.regex];
    if (!to) throw new Error(`no rewrite for ${match.regex}`);
    return to;
  }
  return match;
};
const book = {
  source: name,
  version,
  date,
  licence: license,
  sha256: createHash("sha256").update(array).digest("hex"),
  providers: providers.map((p) => ({
    id: p.id,
    model_match: walk(p.model_match),
    provider_match: walk(p.provider_match),
    fallback: p.fallback_model_providers,
    models: p.models.map((m) => ({ id: m.id, match: walk(m.match), prices: [m.prices].flat().map((x) => ("prices" in x ? x : { prices: x })) })),
  })),
};
// One line a model, so that a newer book reads as a difference.
const line = (v) => JSON.stringify(v);
const out = [];
for (const p of book.providers) {
  const { models, ...rest } = p;
  out.push(`${line(rest).slice(0, -1)},"models":[\n${models.map(line).join(",\n")}\n]}`);
}
const { providers: _, ...rest } = book;
process.stdout.write(`${line(rest).slice(0, -1)},"providers":[\n${out.join(",\n")}\n]}\n`);
