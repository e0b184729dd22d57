import { BlockList, isIP } from 'node:net';

/**
 * Tells whether a URL is one of those that `NO_PROXY` keeps away from proxies, by the rules of curl: `*`, names with all that ends in
 * them (`example.com`, `.example.com`, `*.example.com`), addresses and networks (`10.0.0.0/8`), between commas or blanks. Behind a name
 * or an address may stand a port. Nothing is exempt by itself, loopback neither.
 */
export function isExempt(noProxy: string, url: URL): boolean {
  const host = bareHost(url.hostname);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => covers(entry, host, port));
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(entry, host);
  const [, inBrackets, named, portOf] = /^(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (portOf !== undefined && portOf !== port) return false;
  const name = bareHost(inBrackets ?? named ?? entry).replace(/^\*?\./, '');
  if (name === '') return false;
  return isIP(host) === 0 ? host === name || host.endsWith(`.${name}`) : isSameAddress(name, host);
}

function isInNetwork(entry: string, host: string): boolean {
  const [network = '', bits = ''] = entry.split('/');
  const families = [isIP(network), isIP(host)];
  const most = families[0] === 6 ? 128 : 32;
  if (families[0] === 0 || families[0] !== families[1] || !/^\d{1,3}$/.test(bits) || Number(bits) > most) return false;
  const list = new BlockList();
  const family = families[0] === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}

function isSameAddress(name: string, host: string): boolean {
  return isIP(name) !== 0 && isInNetwork(`${name}/${isIP(name) === 6 ? 128 : 32}`, host);
}

/** Without the brackets of IPv6 and the dot of the root. */
function bareHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/(.)\.$/, '$1')
    .toLowerCase();
}
