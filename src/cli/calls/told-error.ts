import { toJson } from '@bufbuild/protobuf';

import { AttemptSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { printable } from '../../config/port/aligned-table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { trailTable } from './answer-facts.ts';
import type { CallError } from './call-error.ts';

/** Codes of connections that never came about. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/** What of OpenSSL and Node says that the other end is not who it should be, or does not take us for who we are. */
const TLS_CODE = /CERT|^ERR_(TLS|SSL)|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH/;

/** What OpenSSL says of another end that does not speak TLS. */
const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';

/** How the other end of a connection shows that it is no gRPC door. */
const PROTOCOL_CODE = /^(ERR_HTTP2_ERROR$|HPE_|NGHTTP2)|^EPROTO$|^ECONNRESET$/;

/** Tells a person, or with `json` a program, on standard error why a call failed. */
export function tellError(error: CallError, address: string, terminal: Terminal, json: boolean): void {
  if (json) {
    const { networkCode, attempts, ...rest } = error;
    const trail = attempts.map((attempt) => toJson(AttemptSchema, attempt));
    terminal.tell(JSON.stringify({ error: { ...rest, ...(networkCode !== '' && { networkCode }), attempts: trail } }));
    return;
  }
  const { code, reason, violations, retryAfterMs, mayRetry, requestId, attempts } = error;
  const name = terminal.style('red', reason === '' ? code : `${code} ${reason}`, 'stderr');
  const lines = [`understudy: ${name}: ${printable(messageOf(error, address))}`];
  for (const { field, description } of violations) lines.push(`  ${printable(field)}: ${printable(description)}`);
  if (attempts.length > 0) lines.push(indented(trailTable(attempts)));
  if (mayRetry) lines.push(`  nothing was billed; it may be tried again${waitOf(retryAfterMs)}`);
  else if (retryAfterMs !== undefined) lines.push(`  another try makes sense${waitOf(retryAfterMs)}`);
  if (requestId !== '') lines.push(terminal.style('dim', `  request ${printable(requestId)}`, 'stderr'));
  terminal.tell(lines.join('\n'));
}

function messageOf({ message, networkCode }: CallError, address: string): string {
  if (NOT_REACHED.has(networkCode)) {
    return `no gateway can be reached at ${address} (${networkCode}); \`understudy serve\` starts one, --address names another`;
  }
  if (networkCode === NO_TLS)
    return `${address} does not speak TLS (${networkCode}); an address of plaintext begins with http://`;
  if (TLS_CODE.test(networkCode)) {
    return `no trusted connection to ${address} (${networkCode}); --ca, --cert and --key say whom to trust and who calls`;
  }
  if (PROTOCOL_CODE.test(networkCode)) {
    return `${address} does not speak gRPC here (${networkCode}); --address needs the gRPC door, with https:// where it has TLS`;
  }
  return message;
}

function waitOf(ms: number | undefined): string {
  if (ms === undefined) return '';
  return ms < 1_000 ? ` in ${Math.ceil(ms)} ms` : ` in ${Math.ceil(ms / 100) / 10} s`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
