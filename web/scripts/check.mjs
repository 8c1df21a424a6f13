// What the console promises about itself, checked after each build:
// - first load (page, scripts, styles, font) at most 180 kB gzip, any route at
//   most 100 kB more;
// - colours are named in src/theme/tokens.css only;
// - a class that a component names is in its style sheet, and one in a sheet is named;
// - every Mantine component that is used has its styles in the build, and a page
//   that has fields or dialogs loads theirs;
// - the lockfile holds no download addresses;
// - the API's types are those of docs/openapi.json.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { generate, typesFile } from './types.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const firstLimit = 180_000;
const routeLimit = 100_000;
const problems = [];

const walk = (dir) => readdirSync(dir).sort().flatMap((n) => {
  const p = join(dir, n);
  return statSync(p).isDirectory() ? walk(p) : [p];
});
const size = (p) => (/\.(woff2|svg)$/.test(p) ? statSync(p).size : gzipSync(readFileSync(p), { level: 9 }).length);

// Sizes. The manifest says which chunk needs which.
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const i of manifest[key].imports ?? []) closure(i, seen);
  return seen;
}
const filesOf = (keys) => {
  const files = new Set();
  for (const k of keys) {
    files.add(manifest[k].file);
    for (const c of manifest[k].css ?? []) files.add(c);
    for (const a of manifest[k].assets ?? []) files.add(a);
  }
  return files;
};
const entry = Object.keys(manifest).find((k) => manifest[k].isEntry);
const first = filesOf(closure(entry));
const sum = (files) => [...files].reduce((n, f) => n + size(join(dist, f)), 0);
const firstSize = sum(first) + size(join(dist, 'index.html'));
console.log(`first load ${(firstSize / 1000).toFixed(1)} kB gzip of ${firstLimit / 1000}`);
if (firstSize > firstLimit) problems.push(`first load is ${firstSize} bytes gzip, more than ${firstLimit}`);
const routes = [];
for (const k of Object.keys(manifest)) {
  if (!manifest[k].isDynamicEntry) continue;
  const extra = [...filesOf(closure(k))].filter((f) => !first.has(f));
  routes.push([k, sum(extra)]);
}
routes.sort((a, b) => b[1] - a[1]);
for (const [k, n] of routes.slice(0, 5)) console.log(`  + ${(n / 1000).toFixed(1)} kB ${k}`);
for (const [k, n] of routes) if (n > routeLimit) problems.push(`${k} adds ${n} bytes gzip, more than ${routeLimit}`);

// Colours.
const raw = /#[0-9a-fA-F]{3,8}\b(?![^'"`;\n]*\))|(?<![\w-])(?:rgba?|hsla?|oklch)\((?!from var)/;
const named = /(?:color|background|fill|stroke|border[\w-]*)\s*[:=]\s*['"{]?\s*['"]?(?:white|black|red|green|blue|gr[ae]y|orange|yellow|purple)\b/i;
for (const p of walk(join(root, 'src'))) {
  if (!/\.(tsx?|css)$/.test(p) || p.endsWith('theme/tokens.css')) continue;
  readFileSync(p, 'utf8').split('\n').forEach((line, i) => {
    if (/^\s*(\/\/|\*|\/\*)/.test(line)) return;
    if (raw.test(line) || named.test(line)) problems.push(`${relative(root, p)}:${i + 1} names a raw colour: ${line.trim().slice(0, 80)}`);
  });
}

// Classes. A name built at run time (css[`tone-${x}`]) leaves its sheet out of the second half.
const sheets = new Map();
for (const p of walk(join(root, 'src'))) {
  if (!p.endsWith('.module.css')) continue;
  const selectors = readFileSync(p, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/[\w-]+\s*:[^;{}]*;/g, '').replace(/:global\([^)]*\)/g, '');
  sheets.set(p, { has: new Set([...selectors.matchAll(/\.([A-Za-z_][\w-]*)/g)].map((m) => m[1])), named: new Set(), open: false });
}
for (const [p] of sheets) {
  for (const m of readFileSync(p, 'utf8').matchAll(/composes: ([\w -]+) from '([^']+)'/g)) {
    for (const name of m[1].split(' ')) sheets.get(join(dirname(p), m[2]))?.named.add(name);
  }
}
for (const p of walk(join(root, 'src'))) {
  if (!/\.tsx?$/.test(p)) continue;
  const text = readFileSync(p, 'utf8');
  for (const [, as, from] of text.matchAll(/import (\w+) from '([^']+\.module\.css)'/g)) {
    const sheet = sheets.get(join(dirname(p), from));
    for (const m of text.matchAll(new RegExp(`(?<![\\w./'])${as}(?:\\.(\\w+)|\\['([^']+)'\\])`, 'g'))) {
      const name = m[1] ?? m[2];
      sheet.named.add(name);
      if (!sheet.has.has(name)) problems.push(`${relative(root, p)} names the class ${name}, which ${from} does not have`);
    }
    if (new RegExp(`(?<![\\w./'])${as}\\[[^']`).test(text)) sheet.open = true;
  }
}
for (const [p, s] of sheets) {
  const idle = s.open ? [] : [...s.has].filter((c) => !s.named.has(c));
  if (idle.length > 0) problems.push(`${relative(root, p)} has classes that nothing names: ${idle.join(', ')}`);
}

// Mantine's styles.
const styles = new Set();
for (const p of walk(join(root, "src"))) if (/\.tsx?$/.test(p)) for (const m of readFileSync(p, "utf8").matchAll(/styles\/(\w+)(?:\.layer)?\.css/g)) styles.add(m[1]);
const have = new Set(readdirSync(join(root, 'node_modules/@mantine/core/styles')).map((f) => f.split('.')[0]));
for (const p of walk(join(root, 'src'))) {
  if (!/\.tsx?$/.test(p)) continue;
  for (const m of readFileSync(p, 'utf8').matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
    for (const part of m[1].split(',')) {
      const name = part.trim();
      // Some components are others with another name, and have no sheet that tells.
      const needs = /^(Select|MultiSelect|Autocomplete|TagsInput)$/.test(name) ? ['Combobox', 'Input'] : /(Input|Textarea|NativeSelect)$/.test(name) ? ['Input'] : [];
      for (const n of [name, ...needs]) if (have.has(n) && !styles.has(n)) problems.push(`${relative(root, p)} uses ${name}, whose styles (${n}) are not in src/theme`);
    }
  }
}

// Fields and dialogs: their styles are a module of their own, which each page that
// has some must reach, or it shows them bare until another page was visited.
const imports = new Map();
const fields = new Set();
for (const p of walk(join(root, 'src'))) {
  if (!/\.tsx?$/.test(p) || /\.test\./.test(p)) continue;
  const text = readFileSync(p, 'utf8');
  imports.set(p, [...text.matchAll(/^(?:import|export)\b(?! type)[^;]*?'(\.[^']+)'/gm)].flatMap((m) => ['.ts', '.tsx', '/index.ts'].map((e) => join(dirname(p), m[1]) + e)));
  for (const m of text.matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) if (/\b(\w*Input|Textarea|Select|MultiSelect|Checkbox|Modal|SegmentedControl|Popover)\b/.test(m[1])) fields.add(p);
}
const reach = (p, seen = new Set()) => {
  if (seen.has(p) || !imports.has(p)) return seen;
  seen.add(p);
  for (const q of imports.get(p)) reach(q, seen);
  return seen;
};
for (const [p] of imports) {
  for (const m of readFileSync(p, 'utf8').matchAll(/import\('(\.[^']+)'\)/g)) {
    const page = ['.tsx', '.ts'].map((e) => join(dirname(p), m[1]) + e).find((f) => imports.has(f));
    const all = page ? reach(page) : new Set();
    const bare = [...all].find((f) => fields.has(f));
    if (bare && !all.has(join(root, 'src/theme/forms.ts'))) problems.push(`${relative(root, page)} shows fields of ${relative(root, bare)} and nothing there imports theme/forms`);
  }
}

// Lockfile.
if (readFileSync(join(root, 'package-lock.json'), 'utf8').includes('"resolved"')) problems.push('package-lock.json holds download addresses');

// Types.
if (readFileSync(typesFile, 'utf8') !== (await generate())) problems.push('src/api/openapi.d.ts is older than docs/openapi.json: run npm run types');

for (const p of problems) console.error('check: ' + p);
process.exit(problems.length > 0 ? 1 : 0);
