import type { TlsEvent, TlsOptions } from '../port/tls-options.ts';
import type { System } from '../../core/ports.ts';
import { lookAtFiles } from '../../files/file-looks.ts';
import { LiveTls } from './live-tls.ts';

/** How often files are looked at, in milliseconds: a certificate and its key are seldom written at the same moment. */
const LOOK_MS = 500;

/** Certificates as they were read. */
export interface ReadCertificates extends TlsOptions {
  readonly names: string;
  readonly expiresAtMs: number;
  readonly expires: string;
}

/** Files that are looked after. */
export interface WatchedFiles {
  /** What the section of the configuration is called. */
  readonly section: string;
  /** Reads and checks all files; a text says what is wrong with them. Must not throw. */
  read(): ReadCertificates | string;
  /** Returns a text that is another one when a file may have changed. Rejects where it is not there. */
  stamp(): Promise<string>;
}

/** Certificates of listeners, read again when their files change. */
export interface CertificateWatch {
  readonly tls: LiveTls;
  /** Looks at the files no more. */
  stop(): void;
}

/**
 * Keeps certificates as their files are: looks at them twice a second, and puts what has changed into use. Where the new ones cannot be
 * used, such as a certificate whose key is not written yet, the old ones stay; that is told where it is still so at the next look.
 *
 * @param first what was read at start
 */
export function watchCertificates(
  files: WatchedFiles,
  first: ReadCertificates,
  timers: Pick<System, 'setIdleTimer' | 'clearTimer'>,
  happened: (event: TlsEvent) => void,
): CertificateWatch {
  const { section } = files;
  const tls = new LiveTls(first);
  const loaded = ({ names, expiresAtMs, expires }: ReadCertificates, isFirst: boolean): void =>
    happened({ kind: 'loaded', section, isFirst, names, expiresAtMs, expires });
  loaded(first, true);
  let used = first;
  /** Of the files that were read last; undefined: not yet, or they were not there. */
  let seen: string | undefined;
  let fault: { readonly problem: string; readonly isTold: boolean } | undefined;
  let isStopped = false;

  const fail = (problem: string): void => {
    // The first time, another process may be in the middle of writing.
    const isTold = fault?.problem === problem;
    if (isTold && !fault?.isTold) happened({ kind: 'kept', section, problem });
    fault = { problem, isTold };
  };
  const look = async (): Promise<void> => {
    const stamp = await files.stamp().catch(() => undefined);
    const isKnown = stamp === seen && (fault === undefined ? stamp !== undefined : fault.isTold);
    if (isStopped || isKnown) return;
    seen = stamp;
    const read = files.read();
    if (typeof read === 'string') return fail(read);
    const wasTold = fault?.isTold === true;
    fault = undefined;
    if (isSame(read, used)) {
      if (wasTold) loaded(read, false);
      return;
    }
    try {
      tls.replace(read);
    } catch {
      return fail('OpenSSL does not take the new files');
    }
    used = read;
    loaded(read, false);
  };
  const stop = lookAtFiles(timers, look, { firstInMs: LOOK_MS, everyMs: LOOK_MS });
  return {
    tls,
    stop: () => {
      isStopped = true;
      stop();
    },
  };
}

function isSame(one: TlsOptions, other: TlsOptions): boolean {
  return one.certPem === other.certPem && one.keyPem === other.keyPem && one.clientCaPem === other.clientCaPem;
}
