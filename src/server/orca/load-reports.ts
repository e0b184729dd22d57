import { create, toBinary } from '@bufbuild/protobuf';
import { type OrcaLoadReport, OrcaLoadReportSchema } from '../../../gen/xds/data/orca/v3/orca_load_report_pb.ts';
import type { LoadFigures } from '../port/load-figures.ts';

/** Where gRPC looks for the report of a call (gRFC A51). */
const TRAILER = 'endpoint-load-metrics-bin';
/** How much of the event loop, or of the slots, is better not exceeded (docs/operating.md, "Sizing"). */
const SOFT_LIMIT = 0.6;
/** How much what lies above the soft limit counts: all of the event loop is 3.8. */
const WEIGHT_ABOVE = 8;

/** Load as gRPC's clients and proxies read it. What is made of the same figures is made once. */
export class LoadReports {
  readonly #figures: () => LoadFigures;
  #reported: LoadFigures | undefined;
  #report: OrcaLoadReport | undefined;
  #trailers: Readonly<Record<string, string>> | undefined;

  /** @param figures returns the same object as long as nothing has changed */
  constructor(figures: () => LoadFigures) {
    this.#figures = figures;
  }

  /** Returns the report of now. */
  report(): OrcaLoadReport {
    const figures = this.#figures();
    if (this.#report !== undefined && this.#reported === figures) return this.#report;
    this.#reported = figures;
    this.#trailers = undefined;
    this.#report = create(OrcaLoadReportSchema, {
      applicationUtilization: utilization(Math.max(figures.loopShare, figures.slotsShare)),
      cpuUtilization: figures.cpuShare,
      memUtilization: figures.memoryShare,
      rpsFractional: figures.callsPerSecond,
      eps: figures.errorsPerSecond,
      namedMetrics: { admission_utilization: figures.slotsShare },
    });
    return this.#report;
  }

  /** Returns the report of now as trailers of a call. */
  readonly trailers = (): Readonly<Record<string, string>> => {
    const report = this.report();
    this.#trailers ??= {
      [TRAILER]: Buffer.from(toBinary(OrcaLoadReportSchema, report)).toString('base64').replace(/=+$/, ''),
    };
    return this.#trailers;
  };
}

/** The share itself up to the soft limit; steep above it, so that balancers turn to others before all is used up (ADR 39). */
function utilization(share: number): number {
  return share + Math.max(0, share - SOFT_LIMIT) * (WEIGHT_ABOVE - 1);
}
