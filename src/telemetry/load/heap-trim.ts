import process from 'node:process';

/** Where glibc has its functions; nobody else has a library of this name. */
const GLIBC = 'libc.so.6';

let trim: (() => void) | undefined;

/**
 * Gives memory that has been freed back to the system, also below what is still in use, where glibc keeps it otherwise: malloc_trim(3).
 * Takes some milliseconds. Nothing happens with another C library, or where Node has no `node:ffi`, or may not use it.
 */
export function trimHeap(): void {
  trim ??= findTrim();
  trim();
}

/** Loads what it takes when it is needed first, so that no start waits for it. */
function findTrim(): () => void {
  const warn = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  try {
    // Node says on standard error that the module is experimental; operators can do nothing about it.
    process.emitWarning = () => undefined;
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions } = ffi.dlopen(GLIBC, { malloc_trim: { arguments: ['uint64'], return: 'int32' } });
    return () => void functions.malloc_trim(0n);
  } catch {
    return () => undefined;
  } finally {
    if (warn !== undefined) Object.defineProperty(process, 'emitWarning', warn);
  }
}
