import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';

import { FailureError } from '../../core/failure.ts';
import { protocolFailure } from '../port/answer-failures.ts';
import type { HttpHandler } from '../../core/transport.ts';
import { keptBytes } from './lent-bytes.ts';

/** Decodes a body on its way to the handler. */
export interface DecodingHandler extends Pick<HttpHandler, 'onData' | 'onEnd' | 'onError'> {
  /** Holds decoded data back. */
  pause(): void;
  /** Lets decoded data go on. */
  resume(): void;
  /** Drops everything; the handler is not called again. */
  destroy(): void;
}

/** What decoding does to the connection below it. */
export interface DecodingSource {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** Above this size of the decoded body, in bytes, the ratio counts. */
const RATIO_FREE_BYTES = 1024 * 1024;
/** Decoded bytes per received byte: well above what text of a model compresses to, well below what a bomb needs. */
const MAX_RATIO = 200;

const CODINGS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/**
 * Returns a handler that decodes a body with this content-encoding for `target`, or undefined where it is no single coding
 * that is known here. A decoded size out of proportion, or data that is not in the coding, is a failure of class `protocol`; a
 * coded body that ends too early one of class `reset`. In both cases the connection is destroyed.
 */
export function decodingHandler(
  coding: string,
  target: HttpHandler,
  source: DecodingSource,
): DecodingHandler | undefined {
  const create = CODINGS[coding.trim().toLowerCase()];
  if (create === undefined) return undefined;
  const decoder = create();
  let received = 0;
  let decoded = 0;
  const fail = (error: unknown): void => {
    decoder.destroy();
    target.onError(error);
    source.abort();
  };
  decoder.on('data', (chunk: Buffer) => {
    decoded += chunk.length;
    if (decoded > RATIO_FREE_BYTES && decoded > received * MAX_RATIO) {
      fail(protocolFailure('The provider sent a compressed body of an implausible size.'));
      return;
    }
    target.onData(chunk);
  });
  decoder.on('drain', () => source.resume());
  decoder.on('end', () => target.onEnd());
  decoder.on('error', (error) => fail(codingFailure(error)));
  return {
    onData: (chunk) => {
      received += chunk.length;
      if (!decoder.write(keptBytes(chunk))) source.pause();
    },
    onEnd: () => {
      if (received === 0) {
        decoder.destroy();
        target.onEnd();
      } else {
        decoder.end();
      }
    },
    onError: (error) => {
      decoder.destroy();
      target.onError(error);
    },
    pause: () => void decoder.pause(),
    resume: () => void decoder.resume(),
    destroy: () => void decoder.destroy(),
  };
}

function codingFailure(cause: NodeJS.ErrnoException): FailureError {
  if (cause.code === 'Z_BUF_ERROR') {
    return new FailureError({
      class: 'reset',
      reason: 'PROVIDER_UNAVAILABLE',
      message: 'The compressed body of the provider ended too early.',
      providerCode: cause.code,
      cause,
    });
  }
  return protocolFailure('The provider sent a compressed body that cannot be decoded.', cause);
}
