import type { File, Image } from '../../../gen/understudy/v1/chat_pb.ts';
import type { Report } from '../port/violations.ts';

const MIB = 1024 * 1024;

/** Largest image, in bytes (10 MiB). */
const MAX_IMAGE_BYTES = 10 * MIB;

/** Largest file, and most that all images and files of a request may have together, in bytes (16 MiB of a message of 20). */
const MAX_ATTACHED_BYTES = 16 * MIB;

/** Most images and files of a request. */
const MAX_ATTACHMENTS = 100;

/** Longest URL of an image, in bytes (8 KiB). */
const MAX_URL_BYTES = 8 * 1024;

/** Longest name of a file, in characters. */
const MAX_FILENAME_LENGTH = 255;

/** Bytes of a PDF within which its mark must begin; readers look no further. */
const PDF_HEAD_BYTES = 1024;

const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;
// oxlint-disable-next-line no-control-regex
const CONTROL_OR_SEPARATOR = /[\u0000-\u001f\u007f/\\]/;

/** What the bytes of a media type begin with, in Latin-1; `?` stands for any byte. */
const MARKS = {
  'image/png': ['\u0089PNG\r\n\u001a\n'],
  'image/jpeg': ['\u00ff\u00d8\u00ff'],
  'image/gif': ['GIF87a', 'GIF89a'],
  'image/webp': ['RIFF????WEBP'],
} as const satisfies Record<string, readonly string[]>;

const IMAGE_MARKS: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(MARKS));

/** What the images and files of a request have together. */
export interface Attached {
  count: number;
  bytes: number;
}

/** Checks an image: one source, its size, its media type, and that the bytes begin as that type's do. */
export function checkImage(image: Image, path: string, attached: Attached, report: Report): void {
  const { source } = image;
  if (source.case === undefined) {
    report(path, 'must have a url or data');
  } else if (source.case === 'url') {
    attach(0, path, attached, report);
    checkUrl(source.value, `${path}.url`, report);
  } else {
    checkSize(source.value, MAX_IMAGE_BYTES, path, attached, report);
    const marks = IMAGE_MARKS.get(image.mediaType);
    if (marks === undefined) {
      report(`${path}.media_type`, 'must be image/png, image/jpeg, image/gif or image/webp');
    } else if (source.value.byteLength > 0 && !marks.some((mark) => beginsWith(source.value, mark))) {
      report(`${path}.data`, 'must be of the media type that it is said to be');
    }
  }
}

/** Checks a file: its size, its media type, its name, and that a PDF is one. */
export function checkFile(file: File, path: string, attached: Attached, report: Report): void {
  const { data, filename, mediaType } = file;
  checkSize(data, MAX_ATTACHED_BYTES, path, attached, report);
  if (!MEDIA_TYPE.test(mediaType)) report(`${path}.media_type`, 'must be a media type, such as application/pdf');
  if (mediaType === 'application/pdf' && data.byteLength > 0 && !isPdf(data)) {
    report(`${path}.data`, 'must be of the media type that it is said to be');
  }
  if (filename.length > MAX_FILENAME_LENGTH) report(`${path}.filename`, 'must have at most 255 characters');
  else if (CONTROL_OR_SEPARATOR.test(filename)) report(`${path}.filename`, 'must be a name without a path');
}

function checkUrl(url: string, path: string, report: Report): void {
  if (Buffer.byteLength(url) > MAX_URL_BYTES) {
    report(path, 'must be at most 8 KiB long');
    return;
  }
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'https:') report(path, 'must be an https URL');
  else if (parsed.username !== '' || parsed.password !== '') report(path, 'must not carry a user or a password');
}

function checkSize(data: Uint8Array, mostBytes: number, path: string, attached: Attached, report: Report): void {
  const size = data.byteLength;
  if (size === 0) report(`${path}.data`, 'must not be empty');
  if (size > mostBytes) report(`${path}.data`, `must be at most ${mostBytes / MIB} MiB`);
  attach(size > mostBytes ? 0 : size, path, attached, report);
}

/** Counts an attachment; the one that is too many is told, and those after it are not. */
function attach(size: number, path: string, attached: Attached, report: Report): void {
  attached.count += 1;
  if (attached.count === MAX_ATTACHMENTS + 1) report(path, `there may be at most ${MAX_ATTACHMENTS} images and files`);
  const before = attached.bytes;
  attached.bytes += size;
  if (before <= MAX_ATTACHED_BYTES && attached.bytes > MAX_ATTACHED_BYTES) {
    report(path, `all images and files together must be at most ${MAX_ATTACHED_BYTES / MIB} MiB`);
  }
}

function beginsWith(data: Uint8Array, mark: string): boolean {
  if (data.byteLength < mark.length) return false;
  for (let at = 0; at < mark.length; at += 1) {
    if (mark[at] !== '?' && data[at] !== mark.charCodeAt(at)) return false;
  }
  return true;
}

function isPdf(data: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = data;
  return Buffer.from(buffer, byteOffset, Math.min(byteLength, PDF_HEAD_BYTES)).includes('%PDF-');
}
