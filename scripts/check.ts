import { execSync, spawnSync } from 'node:child_process';

// Runs what must hold before a commit, quick things first, and stops at the first that does not.

const isQuick = process.argv.includes('--quick');

/** Each is a script of package.json or, for what is none, a command. */
const STEPS: readonly string[] = [
  'npm run generate',
  'npm run format:check',
  'npm run lint',
  'npm run typecheck',
  'npm run knip',
  'npm run licences',
  ...(isQuick ? ['npm run test:quick'] : ['npm test', 'npm run --if-present mutate:changed']),
  'git diff --exit-code --stat',
];

const start = process.hrtime.bigint();
const failed = STEPS.find((step) => {
  process.stdout.write(`\n== ${step}\n`);
  return spawnSync(step, { shell: true, stdio: 'inherit' }).status !== 0;
});
const untracked = execSync('git ls-files --others --exclude-standard', { encoding: 'utf8' });
const seconds = (process.hrtime.bigint() - start) / 1_000_000_000n;

if (failed !== undefined) {
  const advice = failed.startsWith('git diff')
    ? '; these files are changed: stage or commit what you want to keep'
    : '';
  process.stdout.write(`\nThe check failed at \`${failed}\`${advice}.\n`);
  process.exitCode = 1;
} else if (untracked !== '') {
  process.stdout.write(`\nThe check failed: Git does not know these files.\n${untracked}`);
  process.exitCode = 1;
} else {
  process.stdout.write(`\n${isQuick ? 'Everything but the long tests' : 'Everything'} passed, in ${seconds} s.\n`);
}
