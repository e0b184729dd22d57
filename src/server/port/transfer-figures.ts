/** Why a request was refused, or an answer cut off, for what it took. */
export type RefusedTransfer =
  | 'bytes_in_flight'
  | 'message_size'
  | 'message_shape'
  | 'receive_timeout'
  | 'send_timeout'
  | 'turn_wait';

/** What requests and answers hold, as metrics show it. */
export interface TransferFigures {
  /** Most bytes of requests and unread answers together. */
  readonly mostBytes: number;
  /** Bytes of requests that are received or answered. */
  readonly requestBytes: number;
  /** Bytes of answers that their callers have not read. */
  readonly answerBytes: number;
  /** How often since start. */
  readonly refused: Readonly<Record<RefusedTransfer, number>>;
}
