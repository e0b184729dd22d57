import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** The limit of this process is reached, or that of its machine. */
const OUT_OF_DESCRIPTORS = /^E[MN]FILE$/;

/** Whether an error code says that nothing more can be opened. */
export function saysOutOfDescriptors(code: string | undefined): boolean {
  return code !== undefined && OUT_OF_DESCRIPTORS.test(code);
}

/** Whether this process can open no file and no connection more: tries it, which takes some 10 µs. */
export function isOutOfDescriptors(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return false;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    return saysOutOfDescriptors(typeof code === 'string' ? code : undefined);
  }
}
