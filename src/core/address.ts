/** A place to listen on. */
export interface Address {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

const NAME_AND_PORT = /^([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):(\d{1,5})$/;
const BRACKETS_AND_PORT = /^\[([0-9A-Fa-f:.]+)\]:(\d{1,5})$/;

/** Reads `host:port`, IPv6 in brackets; undefined where the text is neither. */
export function parseAddress(text: string): Address | undefined {
  const inBrackets = BRACKETS_AND_PORT.exec(text);
  const [, host, digits] = inBrackets ?? NAME_AND_PORT.exec(text) ?? [];
  if (host === undefined || digits === undefined) return undefined;
  const port = Number(digits);
  if (port > 65_535 || (inBrackets !== null && !URL.canParse(`http://[${host}]`))) return undefined;
  return { host, port };
}

/** Writes an address as it is read, IPv6 in brackets. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
