import { tryBrowser } from './browser.ts';
import { tryGhz, tryGrpcurl, tryHealthProbe } from './grpc-tools.ts';
import type { RowOutcome, RowStage } from './row.ts';
import { trySnippets } from './snippets.ts';
import { tryTemplates } from './templates.ts';

/** What is run besides the clients, by the names of `--only`. */
export const ROWS: Readonly<Record<string, (stage: RowStage) => Promise<RowOutcome>>> = {
  grpcurl: tryGrpcurl,
  'grpc-health-probe': tryHealthProbe,
  ghz: tryGhz,
  browser: tryBrowser,
  snippets: trySnippets,
  templates: tryTemplates,
};
