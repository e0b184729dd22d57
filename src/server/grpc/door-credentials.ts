import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

/**
 * Credentials of a grpc-js server whose certificates come later, and change. Until the first are there, grpc-js closes every
 * connection: nobody comes in before the door guards them.
 */
export class DoorCredentials extends ServerCredentials {
  /** Has new connections use these certificates. */
  load(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
