import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../../gen/grpc/health/v1/health_pb.js';

/** What is known of a gateway: asked and not answered yet, serving or not, or nothing, which counts as serving. */
type Standing = 'asked' | 'serving' | 'away' | 'unknown';

/** How long the first answer is waited for, in milliseconds. */
const FIRST_ANSWER_MS = 2000;
/** How often a watch that has ended is begun again at most, in milliseconds. */
const AGAIN_MS = 1000;

/**
 * Watches by grpc.health.v1 whether a gateway serves, as the health checks of gRPC's own clients do. A server that has no such
 * service counts as serving.
 */
export class ServingWatch {
  readonly #transport: Transport;
  #standing: Standing = 'unknown';
  #first: Promise<void> | undefined;
  #controller: AbortController | undefined;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #isUnsupported = false;

  /** The transport is one whose streams do not keep the process alive. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether calls may be sent: the gateway serves, or nobody knows. */
  get isServing(): boolean {
    return this.#standing === 'serving' || this.#standing === 'unknown';
  }

  /** Begins the watch unless it is on, or was lately; resolves with its first answer. */
  async start(): Promise<void> {
    if (this.#controller === undefined && !this.#isUnsupported) {
      const now = performance.now();
      if (now - this.#startedAtMs < AGAIN_MS) return;
      this.#startedAtMs = now;
      this.#first = new Promise((resolve) => {
        const timer = setTimeout(() => this.#settle('unknown', resolve), FIRST_ANSWER_MS);
        timer.unref();
        void this.#watch(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    await this.#first;
  }

  /** Ends the watch. */
  stop(): void {
    this.#controller?.abort();
  }

  #settle(standing: Standing, answered: () => void): void {
    if (this.#standing === 'asked') this.#standing = standing;
    answered();
  }

  async #watch(answered: () => void): Promise<void> {
    const controller = new AbortController();
    this.#controller = controller;
    this.#standing = 'asked';
    try {
      const { watch } = Health.method;
      const call = this.#transport.stream(watch, controller.signal, undefined, undefined, wholeServer());
      for await (const { status } of (await call).message) {
        this.#standing = status === ServingStatus.SERVING ? 'serving' : 'away';
        answered();
      }
      this.#standing = 'unknown';
    } catch (error) {
      this.#standing = 'unknown';
      this.#isUnsupported = ConnectError.from(error).code === Code.Unimplemented;
    } finally {
      this.#controller = undefined;
      answered();
    }
  }
}

async function* wholeServer(): AsyncGenerator<{ service: string }> {
  yield await Promise.resolve({ service: '' });
}
