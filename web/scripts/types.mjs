// Writes src/api/openapi.d.ts, the API's shapes as TypeScript, from
// docs/openapi.json. npm run check compares it with what is committed.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const typesFile = join(root, 'src/api/openapi.d.ts');

/** generate is the text that the file should have. */
export async function generate() {
  const schema = JSON.parse(readFileSync(join(root, '../docs/openapi.json'), 'utf8'));
  return `// Made by npm run types from docs/openapi.json; changes here are lost.\n\n${astToString(await openapiTS(schema))}`;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) writeFileSync(typesFile, await generate());
