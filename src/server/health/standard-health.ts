import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { ServingStatus } from './serving-status.ts';

/**
 * Makes the implementation of `grpc.health.v1.Health` as its proto says: Check fails with NOT_FOUND on an unknown name, Watch
 * sends SERVICE_UNKNOWN and stays open. How many may watch is for the door to bound, with `WatchPlaces`.
 */
export function createHealthService(serving: ServingStatus): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      const state = serving.state(service);
      if (state === undefined) throw new ConnectError('There is no service of this name.', Code.NotFound);
      return { status: Status[state] };
    },
    list() {
      const states = [...serving.all()];
      return { statuses: Object.fromEntries(states.map(([name, state]) => [name, { status: Status[state] }])) };
    },
    watch: ({ service }, context) => watchService(serving, service, context),
  };
}

/** Sends the state at once and after each change. A reader that is slow misses what has passed meanwhile, never the last. */
async function* watchService(
  serving: ServingStatus,
  service: string,
  context: HandlerContext,
): AsyncGenerator<HealthCheckResponse> {
  let wake = (): void => undefined;
  const onEvent = (): void => wake();
  const watched = serving.watch(service, onEvent);
  context.signal.addEventListener('abort', onEvent, { once: true });
  try {
    let last: Status | undefined;
    while (!context.signal.aborted) {
      const status = watched.state === undefined ? Status.SERVICE_UNKNOWN : Status[watched.state];
      if (status === last) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else {
        last = status;
        yield create(HealthCheckResponseSchema, { status });
      }
    }
    throw context.signal.reason;
  } finally {
    context.signal.removeEventListener('abort', onEvent);
    watched.stop();
  }
}
