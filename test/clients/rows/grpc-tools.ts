import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { GO_TOOLS } from '../../../scripts/tool-cache.ts';
import { goTool } from '../../../scripts/tool-cache.ts';
import { command } from '../languages/recipes.ts';
import type { RowOutcome, RowStage } from './row.ts';
import { expect, runChecks } from './row.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVICE = 'understudy.v1.LlmService';
const LOAD = 'xds.service.orca.v3.OpenRcaService/StreamCoreMetrics';
const PROMPT = '{"prompt":"Say hello."}';
const MESSAGES = '{"messages":[{"role":"ROLE_USER","content":[{"text":"Say hello."}]}]}';
const GHZ_CALLS = 200;

/** Runs checks with a tool that go builds. */
async function withTool(
  name: keyof typeof GO_TOOLS,
  checksOf: (call: (...args: readonly string[]) => Promise<string>) => Record<string, () => Promise<string>>,
): Promise<RowOutcome> {
  const path = await goTool(name);
  if (path === undefined) return { skipped: 'go, which builds it, is not there' };
  return runChecks(checksOf((...args) => command(path, args)));
}

/** Flags with which a tool shows a certificate at the gateway that wants one. */
function ownCertificate(folder: string, [ca, cert, key]: readonly [string, string, string]): readonly string[] {
  return [ca, join(folder, 'ca.crt'), cert, join(folder, 'caller.crt'), key, join(folder, 'caller.key')];
}

/** grpcurl: by reflection, and by a descriptor file. */
export function tryGrpcurl({ work, stage }: RowStage): Promise<RowOutcome> {
  const address = stage.doors.grpc;
  return withTool('grpcurl', (call) => ({
    list: async () => {
      const listed = await call('-plaintext', address, 'list');
      expect(listed.includes(SERVICE) && listed.includes('grpc.health.v1.Health'), listed);
      return listed.trim().split('\n').join(', ');
    },
    describe: async () => {
      const described = await call('-plaintext', address, 'describe', `${SERVICE}.StreamChat`);
      expect(described.includes('returns ( stream .understudy.v1.StreamChatResponse )'), described);
      return 'StreamChat';
    },
    call: async () => {
      const answer = await call('-plaintext', '-d', PROMPT, address, `${SERVICE}/Generate`);
      expect(answer.includes('"text"'), answer);
      return 'Generate';
    },
    stream: async () => {
      const answer = await call('-plaintext', '-d', MESSAGES, address, `${SERVICE}/StreamChat`);
      expect(answer.includes('"finished"'), answer);
      return 'StreamChat';
    },
    health: async () => {
      const answer = await call('-plaintext', address, 'grpc.health.v1.Health/Check');
      expect(answer.includes('SERVING'), answer);
      return 'SERVING';
    },
    load: async () => {
      // The stream lasts until it is left.
      const told = await call('-plaintext', '-max-time', '2', address, LOAD).catch((error: unknown) => String(error));
      expect(told.includes('"applicationUtilization"'), told);
      return 'StreamCoreMetrics';
    },
    mTLS: async () => {
      const flags = ownCertificate(stage.tlsFolder, ['-cacert', '-cert', '-key']);
      const answer = await call(...flags, '-d', PROMPT, stage.tlsAddress, `${SERVICE}/Generate`);
      expect(answer.includes('"text"'), answer);
      return 'Generate';
    },
    protoset: async () => {
      const descriptor = join(work, 'descriptor.binpb');
      await command('npm', ['run', '--silent', 'build:descriptor', '--', descriptor], ROOT);
      const args = ['-plaintext', '-protoset', descriptor];
      const listed = await call('-protoset', descriptor, 'list');
      expect(listed.includes(SERVICE), listed);
      const answer = await call(...args, '-d', PROMPT, address, `${SERVICE}/Generate`);
      expect(answer.includes('"text"'), answer);
      return 'Generate';
    },
  }));
}

/** grpc-health-probe: of the gateway, of one target, and of what is not there. */
export function tryHealthProbe({ stage }: RowStage): Promise<RowOutcome> {
  const address = `-addr=${stage.doors.grpc}`;
  return withTool('grpc-health-probe', (call) => ({
    gateway: async () => {
      await call(address);
      return 'SERVING';
    },
    service: async () => {
      await call(address, `-service=${SERVICE}`);
      return 'SERVING';
    },
    target: async () => {
      await call(address, '-service=understudy.target.mock');
      return 'SERVING';
    },
    mTLS: async () => {
      const flags = ownCertificate(stage.tlsFolder, ['-tls-ca-cert', '-tls-client-cert', '-tls-client-key']);
      await call(`-addr=${stage.tlsAddress}`, '-tls', ...flags);
      return 'SERVING';
    },
    'unknown service': async () => {
      const failed = await call(address, '-service=nobody').then(
        () => '',
        (error: unknown) => String(error),
      );
      expect(failed.includes('NotFound'), failed);
      return 'refused';
    },
  }));
}

/** ghz: 200 calls, all of which must be OK. */
export function tryGhz({ stage }: RowStage): Promise<RowOutcome> {
  const base = ['--insecure', '-n', String(GHZ_CALLS), '-c', '20', '--format', 'json'];
  const count = (printed: string): string => {
    const summary: unknown = JSON.parse(printed);
    const codes = typeof summary === 'object' && summary !== null && 'statusCodeDistribution' in summary;
    const told = JSON.stringify(codes ? summary.statusCodeDistribution : summary);
    expect(told === JSON.stringify({ OK: GHZ_CALLS }), told);
    return told;
  };
  return withTool('ghz', (call) => ({
    Generate: async () => count(await call(...base, '--call', `${SERVICE}.Generate`, '-d', PROMPT, stage.doors.grpc)),
    StreamChat: async () =>
      count(await call(...base, '--call', `${SERVICE}.StreamChat`, '-d', MESSAGES, stage.doors.grpc)),
  }));
}
