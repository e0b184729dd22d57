// Writes src/version.ts from package.json.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
writeFileSync(
  new URL('../src/version.ts', import.meta.url),
  `/** Version of this package, as in package.json. */\nexport const CLIENT_VERSION = '${version}';\n`,
);
