import { Metadata } from '@grpc/grpc-js';

/**
 * Shows gRPC metadata as web headers, without a copy: what is set goes into the metadata. Several values of a name are
 * joined with ', '; binary ones (`-bin`) are base64, as on the wire. Throws an Error for a name or value that gRPC forbids.
 */
export class GrpcHeaders implements Headers {
  readonly metadata: Metadata;

  constructor(metadata = new Metadata()) {
    this.metadata = metadata;
  }

  append(name: string, value: string): void {
    this.metadata.add(name, metadataValue(name, value));
  }

  delete(name: string): void {
    this.metadata.remove(name);
  }

  get(name: string): string | null {
    const values = this.metadata.get(name);
    const [first] = values;
    if (first === undefined) return null;
    return values.length === 1 ? headerValue(first) : values.map(headerValue).join(', ');
  }

  getSetCookie(): string[] {
    return this.metadata.get('set-cookie').map(headerValue);
  }

  has(name: string): boolean {
    return this.metadata.get(name).length > 0;
  }

  set(name: string, value: string): void {
    this.metadata.set(name, metadataValue(name, value));
  }

  forEach(visit: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) visit.call(self, value, name, this);
  }

  keys() {
    return this.#pairs()
      .map(([name]) => name)
      .values();
  }

  values() {
    return this.#pairs()
      .map(([, value]) => value)
      .values();
  }

  entries() {
    return this.#pairs().values();
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  /** The headers by name; cookies one by one. */
  #pairs(): [string, string][] {
    const names = Object.keys(this.metadata.getMap()).sort();
    return names.flatMap((name): [string, string][] =>
      name === 'set-cookie' ? this.getSetCookie().map((cookie) => [name, cookie]) : [[name, this.get(name) ?? '']],
    );
  }
}

function headerValue(value: string | Buffer): string {
  return typeof value === 'string' ? value.trim() : value.toString('base64');
}

function metadataValue(name: string, value: string): string | Buffer {
  return name.toLowerCase().endsWith('-bin') ? Buffer.from(value, 'base64') : value.trim();
}
