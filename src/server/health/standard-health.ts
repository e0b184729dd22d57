import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { SHARE_KEY } from '../port/share-key.ts';
import type { ServingStatus } from './serving-status.ts';
import { WatchPlaces } from './watch-places.ts';

/**
 * Makes the implementation of `grpc.health.v1.Health` as its proto says: Check fails with NOT_FOUND on an unknown name, Watch
 * sends SERVICE_UNKNOWN and stays open. Where too many watch, it ends with UNIMPLEMENTED: then clients call without health
 * checks, whereas any other status would keep them from calling (gRFC A17).
 */
export function createHealthService(serving: ServingStatus): ServiceImpl<typeof Health> {
  const places = new WatchPlaces();
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
    watch: ({ service }, context) => watchService(serving, places, service, context),
  };
}

/** Sends the state at once and after each change. A reader that is slow misses what has passed meanwhile, never the last. */
async function* watchService(
  serving: ServingStatus,
  places: WatchPlaces,
  service: string,
  context: HandlerContext,
): AsyncGenerator<HealthCheckResponse> {
  const leave = places.take(context.values.get(SHARE_KEY) ?? '');
  if (leave === undefined)
    throw new ConnectError('No more streams may watch; Check still answers.', Code.Unimplemented);
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
    leave();
  }
}
