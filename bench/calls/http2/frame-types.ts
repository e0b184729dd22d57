/** Types of frames (RFC 9113, section 6). */
export const FRAME_TYPE = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Flags of frames; the first has two names. */
export const FRAME_FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Settings (RFC 9113, section 6.5.2). */
export const SETTING = { HEADER_TABLE_SIZE: 1, ENABLE_PUSH: 2, INITIAL_WINDOW_SIZE: 4 } as const;

/** Before each frame: length, type, flags and stream. */
export const FRAME_HEAD_BYTES = 9;
/** What a frame holds at most, unless the other side allows more. */
export const FRAME_MOST_BYTES = 16_384;
/** Of a stream and of a connection, until somebody says otherwise. */
export const FIRST_WINDOW_BYTES = 65_535;
/** The widest that a window may be. */
export const MOST_WINDOW_BYTES = 2 ** 31 - 1;
/** What a client says first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
