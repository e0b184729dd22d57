/** Most frames of a stack that are logged. */
const MAX_FRAMES = 20;

/** A class of errors, as a program names one. */
const CLASS_NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** A frame as V8 writes it: where in the program, and in which function. Nothing of a message has this form but by design. */
const FRAME = /^ {4}at (?:[\w$.<>[\]# ]{1,120} \()?(?:file:\/\/|node:|\/)[\w./%@+-]{1,300}:\d+:\d+\)?$/;

/** Builds the fields of the line about a fault that nobody has caught: OpenTelemetry's names. Its message may hold a caller's words. */
export function faultFields(thrown: unknown): Readonly<Record<string, unknown>> {
  if (!(thrown instanceof Error)) return { 'exception.type': typeof thrown };
  const { name, message, stack } = thrown;
  const text = typeof stack === 'string' ? stack : '';
  // The stack begins with the message, which may have lines of any form.
  const at = text.indexOf(message);
  const frames = text
    .slice(at === -1 ? 0 : at + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line));
  return {
    'exception.type': typeof name === 'string' && CLASS_NAME.test(name) ? name : 'Error',
    'exception.stacktrace': frames
      .slice(0, MAX_FRAMES)
      .map((line) => line.trim())
      .join('\n'),
  };
}
