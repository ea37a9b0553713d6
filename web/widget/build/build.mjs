/**
 * Builds the widget into web/dist/widget: the panel and its chunks first, with hashed names, then the loader, which is
 * told the panel's name; last a manifest from logical to hashed names.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { stripDocs } from './strip-docs.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const done = `${root}dist/widget`;
const out = `${root}node_modules/.widget-build`; // moved into place when all of it is there
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const common = {
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  plugins: [stripDocs()],
};

const shared = {
  target: ['chrome111', 'firefox113', 'safari16.4'],
  outDir: out,
  emptyOutDir: false,
  modulePreload: false,
  reportCompressedSize: false,
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const panel = await build({
  ...common,
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    ...shared,
    lib: {
      entry: {
        panel: `${root}widget/src/panel/main.ts`,
        messages: `${root}widget/src/messages.ts`,
        icons: `${root}widget/src/launcher-icons.ts`,
      },
      formats: ['es'],
    },
    rollupOptions: {
      output: {
        entryFileNames: '[name]-[hash].js',
        chunkFileNames: '[name]-[hash].js',
        hashCharacters: 'hex',
        minify: true,
      },
    },
  },
});

const files = {};
for (const chunk of panel.flatMap((result) => result.output)) {
  if (chunk.type === 'chunk') files[`${chunk.name}.js`] = chunk.fileName;
}

await build({
  ...common,
  define: {
    __PANEL__: JSON.stringify(files['panel.js']),
    __MESSAGES__: JSON.stringify(files['messages.js']),
    __ICONS__: JSON.stringify(files['icons.js']),
    __VERSION__: JSON.stringify(version),
  },
  build: {
    ...shared,
    lib: { entry: `${root}widget/src/loader/main.ts`, formats: ['iife'], name: 'scaibot' },
    rollupOptions: { output: { entryFileNames: 'widget.js', codeSplitting: false } },
  },
});

writeFileSync(
  `${out}/manifest.json`,
  `${JSON.stringify({ version, files: { 'widget.js': 'widget.js', ...files } }, null, 2)}\n`,
);

mkdirSync(`${root}dist`, { recursive: true });
rmSync(done, { recursive: true, force: true });
renameSync(out, done);
