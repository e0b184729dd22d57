// Makes the page of test/browser in the folder that is given: index.html, and page.js with the client (of dist/) in it.
//   node scripts/bundle-page.mjs FOLDER
import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('node scripts/bundle-page.mjs FOLDER');
mkdirSync(folder, { recursive: true });
const bundle = await rolldown({
  input: join(root, 'test', 'browser', 'page.ts'),
  platform: 'browser',
  cwd: root,
  tsconfig: false,
});
await bundle.write({ file: resolve(folder, 'page.js'), format: 'esm', minify: true });
await bundle.close();
copyFileSync(join(root, 'test', 'browser', 'index.html'), join(folder, 'index.html'));
