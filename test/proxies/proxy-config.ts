import { readFromRoot } from '../support/doc-tables.ts';

/** Where a gateway listens, by port of loopback. */
export interface GatewayPorts {
  readonly grpc: number;
  readonly web: number;
  readonly admin: number;
}

/** What stands in a shipped configuration for what only a deployment knows. */
export interface ProxyPlaces {
  /** In place of `understudy-1` and `understudy-2`. */
  readonly gateways: readonly GatewayPorts[];
  /** In place of 8443 and 443. */
  readonly listens: { readonly grpc: number; readonly web: number };
  /** The certificate; its key is beside it, ending in `.key`. */
  readonly certificate: string;
  /** In place of the timeouts of 660 s, in seconds: how long the proxy bears silence. */
  readonly patienceS?: number;
}

/** Fills a shipped configuration in; nothing else of it is changed. */
export function proxyConfig(file: string, { gateways, listens, certificate, patienceS = 660 }: ProxyPlaces): string {
  const text = readFromRoot(`deploy/proxies/${file}`);
  return text
    .split('\n')
    .map((line) => ofGateways(line, gateways))
    .join('\n')
    .replaceAll(/\b8443\b/g, String(listens.grpc))
    .replaceAll(/(?<=[ :])443\b/g, String(listens.web))
    .replaceAll('/etc/understudy/tls.crt', certificate)
    .replaceAll('/etc/understudy/tls.key', certificate.replace(/\.crt$/, '.key'))
    .replaceAll(/\b660s/g, `${patienceS}s`);
}

function ofGateways(line: string, gateways: readonly GatewayPorts[]): string {
  let filled = line;
  for (const [index, ports] of gateways.entries()) {
    const name = `understudy-${index + 1}`;
    if (!filled.includes(name)) continue;
    const of: Readonly<Record<string, number>> = { 50051: ports.grpc, 8080: ports.web, 9464: ports.admin };
    filled = filled
      .replaceAll(new RegExp(`${name}(:|, port_value: )(\\d+)`, 'g'), (_, between: string, port: string) =>
        ['127.0.0.1', between, of[port]].join(''),
      )
      .replaceAll(/ port 9464\b/g, ` port ${ports.admin}`);
  }
  return filled;
}
