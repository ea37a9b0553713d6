/** Fails when the widget has grown beyond what a page should pay for it. */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

const KIB = 1024;
const limits = { loader: 5 * KIB, open: 25 * KIB, answer: 28 * KIB };
const dist = new URL('../../dist/widget/', import.meta.url);

const read = (name) => {
  try {
    return readFileSync(new URL(name, dist));
  } catch {
    console.error(`budget: ${name} is missing; run "npm run build" first`);
    process.exit(1);
  }
};
const size = (name) => {
  const raw = read(name);
  return brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
  }).length;
};

const { files } = JSON.parse(read('manifest.json').toString());
const loader = size(files['widget.js']);
const panel = size(files['panel.js']);
let over = false;
const say = (what, bytes, limit) => {
  if (bytes > limit) over = true;
  console.log(
    `budget: ${what} ${(bytes / KIB).toFixed(2)} KiB of ${limit / KIB} (brotli)${bytes > limit ? ', too much' : ''}`,
  );
};
say('loader', loader, limits.loader);
say('loader and panel', loader + panel, limits.open);
say('with what shows an answer', loader + panel + size(files['rich.js']), limits.answer);
for (const [name, file] of Object.entries(files)) {
  if (!['widget.js', 'panel.js', 'rich.js'].includes(name))
    console.log(`budget: ${name} ${(size(file) / KIB).toFixed(2)} KiB, on demand`);
}
process.exit(over ? 1 : 0);
