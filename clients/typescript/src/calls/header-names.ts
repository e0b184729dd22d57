/** Header that carries the caller's own id of a request. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Header that carries the caller's trace (W3C Trace Context). */
export const TRACE_HEADER = 'traceparent';
