import type { OutgoingHttpHeaders } from 'node:http2';
import type { DescService } from '@bufbuild/protobuf';
import { createServiceImplSpec, type ServiceImpl } from '@connectrpc/connect';
import type { Cohort } from '../../core/cohort.ts';
import type { Runtime } from '../../core/ports.ts';
import { answerStream } from './answer-stream.ts';
import { answerUnary } from './answer-unary.ts';
import type { CallStream } from './calls/call-stream.ts';
import { OpenCalls, type OpenCallsOptions } from './calls/open-calls.ts';
import type { CallPlaces, TakenMethod } from './calls/taken-method.ts';
import type { FairTurns } from '../wire/fair-turns.ts';
import type { LiveCalls } from '../http/live-calls.ts';

/** How a service is mounted. */
export interface GrpcMountOptions extends OpenCallsOptions {
  readonly runtime: Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;
  /** Begins the calls that come in one turn of the event loop together. */
  readonly cohort: Cohort;
  /** Bound the calls of the methods that they are for, by the names of these. */
  readonly places?: Readonly<Record<string, CallPlaces>>;
  /** Lets the calls begin, by themselves and ahead of cohorts; default: among all those of the door. */
  readonly turns?: FairTurns | undefined;
  /** What every end of a call says besides. */
  readonly trailers?: (() => OutgoingHttpHeaders) | undefined;
  /** Counts the calls, where they have to be waited for. */
  readonly calls?: LiveCalls;
}

/**
 * Mounts Connect handlers: unary and server-streaming methods. Cancel, lost connection and deadline abort the handler's context
 * in the turn in which the stream tells of them.
 *
 * @returns the methods by path
 */
export function mountService<Service extends DescService>(
  service: Service,
  implementation: ServiceImpl<Service>,
  options: GrpcMountOptions,
): ReadonlyMap<string, TakenMethod<CallStream>> {
  const handlers = new Map<string, TakenMethod<CallStream>>();
  const openCalls = new OpenCalls(options);
  const { calls, cohort, trailers, turns, places = {} } = options;
  // What has turns of its own is answered in the turn in which it comes, and its answer leaves at the end of that.
  const handle = (step: () => void): void => (turns === undefined ? cohort.add(step) : step());
  for (const spec of Object.values(createServiceImplSpec<Service>(service, implementation).methods)) {
    const path = `/${service.typeName}/${spec.method.name}`;
    if (spec.kind === 'unary') {
      handlers.set(path, {
        calls,
        openCalls,
        trailers,
        turns,
        handle: (call) => handle(() => void answerUnary(spec, call, openCalls)),
      });
    } else if (spec.kind === 'server_streaming') {
      handlers.set(path, {
        calls,
        openCalls,
        trailers,
        turns,
        places: places[spec.method.name],
        handle: (call) => handle(() => answerStream(spec, call, openCalls)),
      });
    } else {
      throw new TypeError(`${path} streams its requests, which is not supported`);
    }
  }
  return handlers;
}
