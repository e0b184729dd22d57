import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasOpenssl } from '../support/certificates.ts';
import { runCommand } from '../support/command-run.ts';
import { startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';

/** The commands of docs/operating.md that make certificates. */
const MAKE = /```sh\n(openssl req -x509[\s\S]+?)```/.exec(
  readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8'),
)?.[1];

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('a gateway with TLS', () => {
  let folder: string;
  let gateway: UnderstudyProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
    gateway = undefined;
  });
  afterEach(async () => {
    await gateway?.close();
    rmSync(folder, { recursive: true });
  });

  const path = (name: string): string => join(folder, name);

  /** Makes `ca`, `localhost` and `billing` as the page says, in a folder. */
  function make(cwd = folder): void {
    execFileSync('sh', ['-euc', MAKE ?? 'exit 1'], { cwd, stdio: 'ignore' });
  }

  async function start(tls: string) {
    writeFileSync(path('config.yaml'), `targets: [{ name: a, provider: mock }]\nserver: { ${tls} }\n`);
    gateway = startUnderstudy(['--config', path('config.yaml'), '--log-format', 'text']);
    const doors = await gateway.doors;
    return { gateway, port: (url: string) => Number(new URL(url).port), doors };
  }

  async function serialAt(port: number): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }

  async function get(port: number, where: string, options: object): Promise<readonly [number | undefined, string]> {
    const asked = request({ host: 'localhost', port, path: where, agent: false, ...options }).end();
    const [response] = await once(asked, 'response');
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return [response.statusCode, body];
  }

  test('is called with the commands of the page, and says to others why not', async () => {
    make();
    const { doors, port } = await start('tls: { cert: localhost.crt, key: localhost.key, client_ca: ca.crt }');
    const address = ['--address', `https://localhost:${port(doors.grpc)}`, '--ca', path('ca.crt')];
    const own = ['--cert', path('billing.crt'), '--key', path('billing.key')];
    expect(await runCommand(['health', ...address, ...own])).toMatchObject({ status: 0 });
    const refused = await runCommand(['health', ...address]);
    expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('A client certificate is required.')]);
    const ca = readFileSync(path('ca.crt'));
    const identity = { ca, cert: readFileSync(path('billing.crt')), key: readFileSync(path('billing.key')) };
    expect(await get(port(doors.web), '/readyz', identity)).toMatchObject([200, expect.anything()]);
    expect(await get(port(doors.web), '/readyz', { ca })).toEqual([403, expect.stringContaining('is required')]);
    const [, metrics] = await get(port(doors.admin), '/metrics', identity);
    expect(metrics).toMatch(/^understudy_tls_certificate_expires_timestamp_seconds\{section="server.tls"\} 1\d{9}$/m);
    expect(metrics).toMatch(/^understudy_tls_refused_total\{listener="web"\} 1$/m);
    if (spawnSync('curl', ['--version']).status === 0) {
      const flags = ['--cacert', path('ca.crt'), '--cert', path('billing.crt'), '--key', path('billing.key')];
      const url = `https://localhost:${port(doors.web)}/readyz`;
      expect(spawnSync('curl', ['-sf', ...flags, url]).status).toBe(0);
    }
  });

  test('has the admin listener without it where that is off', async () => {
    make();
    const { doors } = await start('tls: { cert: localhost.crt, key: localhost.key }, admin_tls: off');
    expect(doors).toMatchObject({ grpc: expect.stringMatching(/^https:/), web: expect.stringMatching(/^https:/) });
    expect((await fetch(`${doors.admin}/livez`)).status).toBe(200);
  });

  test('takes new certificates as Kubernetes swaps them, at all listeners, and none that does not fit', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(path(name));
      make(path(name));
    }
    symlinkSync('one', path('..data'));
    for (const name of ['localhost.crt', 'localhost.key']) symlinkSync(join('..data', name), path(name));
    const { gateway: running, doors, port } = await start('tls: { cert: localhost.crt, key: localhost.key }');
    const ports = [doors.grpc, doors.web, doors.admin].map(port);
    const serials = () => Promise.all(ports.map(serialAt));
    const [first = ''] = await serials();
    // A certificate of one pair beside the key of the other stays out of use.
    const key = readFileSync(path('one/localhost.key'));
    writeFileSync(path('one/localhost.key'), readFileSync(path('two/localhost.key')));
    await running.printed('cannot be used');
    expect(await serials()).toEqual([first, first, first]);
    writeFileSync(path('one/localhost.key'), key);
    symlinkSync('two', path('..next'));
    renameSync(path('..next'), path('..data'));
    await expect.poll(serials).not.toContain(first);
    expect(running.stdout()).toContain('certificates have changed');
  });
});
