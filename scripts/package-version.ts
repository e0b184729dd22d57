import { readFileSync } from 'node:fs';

// Writes the module that tells the version, from package.json. A JSON import would put a second package.json into dist/.

const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const version =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
if (typeof version !== 'string') throw new Error('package.json has no version');
process.stdout.write(
  `/** Version of this package; written by \`npm run generate\` from package.json. */\nexport const PACKAGE_VERSION = '${version}';\n`,
);
