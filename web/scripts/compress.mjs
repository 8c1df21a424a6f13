// Puts a brotli copy beside each text asset that has a hash in its name, so
// that the server sends the small one without compressing at run time. Its
// output depends on the input only.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

const assets = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'assets');
for (const name of readdirSync(assets).sort()) {
  if (!/\.(js|css)$/.test(name)) continue;
  const src = readFileSync(join(assets, name));
  const br = brotliCompressSync(src, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: src.length } });
  if (br.length < src.length * 0.9) writeFileSync(join(assets, name + '.br'), br);
}
