/** An error with a code, as Node and undici throw them. */
interface NetworkError extends Error {
  readonly code: string;
}

/** Makes what a socket says when the other side resets it. */
export function resetError(): NetworkError {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

/** Makes what undici says when the other side closes in the middle of an answer. */
export function brokenError(bytesRead: number): NetworkError {
  const error = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET', socket: { bytesRead } });
  error.name = 'SocketError';
  return error;
}

/** Makes what undici says of a closed client. */
export function destroyedError(): NetworkError {
  const error = Object.assign(new Error('The client is destroyed'), { code: 'UND_ERR_DESTROYED' });
  error.name = 'ClientDestroyedError';
  return error;
}
