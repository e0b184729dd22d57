import type { Caller } from '../../callers/port/caller.ts';
import type {
  CallerDirectory,
  CredentialFailure,
  Identified,
  ShownCredentials,
} from '../../callers/port/credentials.ts';

/** How a door finds out who calls. */
export interface Authentication {
  readonly directory: CallerDirectory;
  /** Whether health, load reports and reflection are for callers alone, too. */
  readonly includesHealth: boolean;
  /** Hears of a call that was refused; the peer is `host:port`. Must not throw. */
  readonly refused: (failure: CredentialFailure, peer: string) => void;
}

const HEALTH =
  /^\/(understudy\.v1\.LlmService\/Health|grpc\.health\.v1\.Health\/|grpc\.reflection\.|xds\.service\.orca\.v3\.)/;

/** Whether calls of a method, by its path, need a caller. */
export function needsCaller(path: string, { includesHealth }: Authentication): boolean {
  return includesHealth || !HEALTH.test(path);
}

/** Whether nobody was found. */
export function isRefused(identified: Identified): identified is CredentialFailure {
  return 'credentials' in identified;
}

/** The key by which a caller's calls share what there is, whatever connections they come by. */
export function callerShareKey({ name }: Caller): string {
  return `caller:${name}`;
}

/** Reads credentials from the headers of a call, and its connection. */
export function shownBy(
  { authorization, 'x-api-key': apiKey }: Readonly<Record<string, string | readonly string[] | undefined>>,
  certificate: ShownCredentials['certificate'],
  connection: ShownCredentials['connection'],
): ShownCredentials {
  return { authorization: single(authorization), apiKey: single(apiKey), certificate, connection };
}

/** Two keys are no key. */
function single(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
