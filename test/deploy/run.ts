import { CHART_CHECKS } from './chart-checks.ts';
import { findDeployTools } from './deploy-tools.ts';
import { FILE_CHECKS } from './file-checks.ts';
import { MONITORING_CHECKS } from './monitoring-checks.ts';

// Tries what is in deploy/ with the programs that it is for (npm run test:deploy): helm, the schemas of Kubernetes, promtool, a real
// Prometheus that scrapes a real gateway. What cannot be had on this machine is left out, and said.

const tools = await findDeployTools();
const missing = Object.entries(tools).flatMap(([name, path]) => (path === undefined ? [name] : []));
const isLeftOut = (needed: readonly string[]): boolean => needed.some((name) => missing.includes(name));
const GROUPS = [
  { needs: ['helm', 'checker', 'kubernetesValidate'], checks: CHART_CHECKS },
  { needs: ['checker', 'hadolint'], checks: FILE_CHECKS },
  { needs: ['promtool', 'prometheus'], checks: MONITORING_CHECKS },
];
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const { needs, checks } of GROUPS) {
  for (const [title, check] of Object.entries(checks)) {
    if (isLeftOut(needs)) {
      counts.skipped += 1;
      continue;
    }
    try {
      await check(tools);
      counts.passed += 1;
      process.stdout.write(`ok      ${title}\n`);
    } catch (error) {
      counts.failed += 1;
      process.stdout.write(`failed  ${title}\n${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
if (missing.length > 0) process.stdout.write(`Not to be had here: ${missing.join(', ')}.\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;
