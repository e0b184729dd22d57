/** One tensor of 32-bit floats. */
export interface Tensor {
  readonly name: string;
  /** Sizes, the one that changes fastest first. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const ALIGNMENT = 32;

/** Writes GGUF, version 3. Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
export class GgufWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  header(tensorCount: number, metadataCount: number): void {
    this.#add(new TextEncoder().encode('GGUF'));
    this.#number(4, (view) => view.setUint32(0, 3, true));
    this.#uint64(tensorCount);
    this.#uint64(metadataCount);
  }

  key(name: string): void {
    this.#string(name);
  }

  uint32(value: number): void {
    this.#kind(4);
    this.#number(4, (view) => view.setUint32(0, value, true));
  }

  float32(value: number): void {
    this.#kind(6);
    this.#number(4, (view) => view.setFloat32(0, value, true));
  }

  bool(value: boolean): void {
    this.#kind(7);
    this.#add(new Uint8Array([value ? 1 : 0]));
  }

  text(value: string): void {
    this.#kind(8);
    this.#string(value);
  }

  texts(values: readonly string[]): void {
    this.#array(8, values.length);
    for (const value of values) this.#string(value);
  }

  int32s(values: readonly number[]): void {
    this.#array(5, values.length);
    this.#add(new Uint8Array(Int32Array.from(values).buffer));
  }

  float32s(values: readonly number[]): void {
    this.#array(6, values.length);
    this.#add(new Uint8Array(Float32Array.from(values).buffer));
  }

  tensors(tensors: readonly Tensor[]): void {
    let offset = 0;
    for (const { name, shape, data } of tensors) {
      this.#string(name);
      this.#kind(shape.length);
      for (const size of shape) this.#uint64(size);
      this.#kind(0);
      this.#uint64(offset);
      offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
    }
    this.#align();
    for (const { data } of tensors) {
      this.#add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      this.#align();
    }
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return whole;
  }

  #array(kind: number, length: number): void {
    this.#kind(9);
    this.#kind(kind);
    this.#uint64(length);
  }

  #kind(value: number): void {
    this.#number(4, (view) => view.setUint32(0, value, true));
  }

  #uint64(value: number): void {
    this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  #string(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#uint64(bytes.byteLength);
    this.#add(bytes);
  }

  #align(): void {
    this.#add(new Uint8Array((ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT));
  }

  #number(size: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(size));
    set(view);
    this.#add(new Uint8Array(view.buffer));
  }

  #add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.byteLength;
  }
}
