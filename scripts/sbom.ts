import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// Writes the bill of materials of a release in CycloneDX 1.5 (npm run release:sbom): what package-lock.json names for production, on
// every platform. `npm sbom --omit=dev` would leave out whatever tools need as well, so that development is left out here.

interface Component {
  readonly 'bom-ref': string;
  name: string;
  readonly properties: readonly { readonly name: string }[];
}

interface Bom {
  readonly metadata: { readonly component: Component };
  components: readonly Component[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** What npm writes. */
function parseBom(text: string): Bom {
  return JSON.parse(text) as Bom;
}

/** Leaves out what is for development, and names packages as npm does: npm names the root and workspaces by their folders. */
export function ofProduction(text: string): Bom {
  const bom = parseBom(text);
  const isDev = ({ properties }: Component): boolean =>
    properties.some(({ name }) => name === 'cdx:npm:package:development');
  const kept = bom.components.filter((component) => !isDev(component));
  for (const component of [bom.metadata.component, ...kept]) {
    component.name = component['bom-ref'].slice(0, component['bom-ref'].lastIndexOf('@'));
  }
  const refs = new Set([bom.metadata.component, ...kept].map((component) => component['bom-ref']));
  bom.components = kept;
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
  return bom;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'understudy.cdx.json' } } });
  const options = { cwd: new URL('..', import.meta.url), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const text = execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], options);
  const bom = ofProduction(text);
  writeFileSync(values.out, `${JSON.stringify(bom, null, 2)}\n`);
  process.stdout.write(`${values.out}: ${bom.components.length} components.\n`);
}
