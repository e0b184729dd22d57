import { type DescEnum, type DescFile, type DescMessage, type DescService, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** Files of a contract by what they define. Nothing is encoded before it is asked for. */
export class SchemaIndex {
  readonly #byName = new Map<string, DescFile>();
  readonly #bySymbol = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();
  readonly #encoded = new Map<DescFile, Uint8Array>();

  /** @param files with them come those that they import */
  constructor(files: Iterable<DescFile>) {
    for (const file of files) this.#add(file);
  }

  /** Returns the file of this name, `.proto` included; undefined where there is none. */
  named(name: string): DescFile | undefined {
    return this.#byName.get(name);
  }

  /** Returns the file that defines a message, field, oneof, enum, enum value, service, method or extension of this full name. */
  defining(symbol: string): DescFile | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** Returns the files with extensions of a message, by the number of the extension; undefined where it has none. */
  extensionsOf(message: string): ReadonlyMap<number, DescFile> | undefined {
    return this.#extensions.get(message);
  }

  /** Encodes a file as FileDescriptorProto, and behind it all that it imports, each once. */
  encode(file: DescFile): Uint8Array[] {
    const needed = new Set([file]);
    // A set that grows is visited to its end.
    for (const { dependencies } of needed) for (const dependency of dependencies) needed.add(dependency);
    return [...needed].map((each) => {
      const bytes = this.#encoded.get(each) ?? toBinary(FileDescriptorProtoSchema, each.proto);
      this.#encoded.set(each, bytes);
      return bytes;
    });
  }

  #add(file: DescFile): void {
    if (this.#byName.has(file.proto.name)) return;
    for (const dependency of file.dependencies) this.#add(dependency);
    this.#byName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      this.#bySymbol.set(type.typeName, file);
      for (const name of namesWithin(type)) this.#bySymbol.set(`${type.typeName}.${name}`, file);
      if (type.kind === 'enum') this.#addValues(type, file);
      if (type.kind !== 'extension') continue;
      const { typeName } = type.extendee;
      const known = this.#extensions.get(typeName) ?? new Map<number, DescFile>();
      this.#extensions.set(typeName, known.set(type.number, file));
    }
  }

  /** The values of an enum are named beside it, not within it. */
  #addValues({ typeName, values }: DescEnum, file: DescFile): void {
    const scope = typeName.slice(0, typeName.lastIndexOf('.') + 1);
    for (const { name } of values) this.#bySymbol.set(`${scope}${name}`, file);
  }
}

function namesWithin(type: DescMessage | DescService | DescEnum | { readonly kind: 'extension' }): readonly string[] {
  switch (type.kind) {
    case 'message':
      return [...type.fields, ...type.oneofs].map(({ name }) => name);
    case 'service':
      return type.methods.map(({ name }) => name);
    case 'enum':
      return type.values.map(({ name }) => name);
    case 'extension':
      return [];
  }
}
