// Fails the build when the first load carries more than 260 kB of JavaScript (gzip).
//
// A first load is the entry with all it imports statically, and one page with all that it imports statically.
// Charts are imported dynamically by the pages, so they do not count; a page that imports them statically would.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT = 260_000;
const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'));

/** The files of a chunk and of all that it imports statically. */
function filesOf(key, files = new Set()) {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`the manifest has no chunk ${key}`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, files);
  return files;
}

const sizes = new Map();
function sizeOf(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(dist, file)), { level: 9 }).length);
  return sizes.get(file);
}
const total = (files) => [...files].filter((file) => file.endsWith('.js')).reduce((sum, file) => sum + sizeOf(file), 0);

const entry = filesOf('index.html');
entry.add('theme.js');
const pages = Object.keys(manifest).filter((key) => /^src\/pages\/[^/]+\/index\.tsx$/.test(key) && manifest[key].isDynamicEntry === true);
if (pages.length === 0) throw new Error('no page is loaded lazily');

const loads = pages.map((page) => ({ page, bytes: total(new Set([...entry, ...filesOf(page)])) })).sort((a, b) => b.bytes - a.bytes);
const worst = loads[0];
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`first load (gzip): ${kilobytes(total(entry))}; with the heaviest page (${worst.page}): ${kilobytes(worst.bytes)}; limit ${kilobytes(LIMIT)}`);
if (worst.bytes > LIMIT) {
  console.error('The first load is too heavy.');
  process.exitCode = 1;
}
