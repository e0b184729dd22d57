/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a scrape says. */
export interface Exposition {
  /** Type by name of metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/**
 * Reads Prometheus' text format 0.0.4, strictly.
 *
 * @throws Error at the first line that is no part of it, or at a sample that is there twice.
 */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const samples = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      types.set(type[1] ?? '', type[2] ?? '');
      continue;
    }
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
    const sample = { name, labels: parseLabels(labels), value: parseValue(value) };
    const key = keyOf(sample);
    if (samples.has(key)) throw new Error(`there twice: ${line}`);
    samples.set(key, sample);
  }
  return { types, samples: [...samples.values()] };
}

/** prom-client writes `Nan`; Prometheus reads it in any case. */
function parseValue(text: string): number {
  const value = Number(text.replace('Inf', 'Infinity'));
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`not a value: ${text}`);
  return value;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`not labels: ${text}`);
    const [, name = '', value = ''] = match;
    labels[name] = value.replaceAll(/\\["\\n]/g, (escape) => ESCAPES[escape] ?? '');
  }
  return labels;
}

/** Returns the value of the one sample with exactly these labels; undefined where there is none. */
export function valueOf(
  { samples }: Exposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = keyOf({ name, labels });
  return samples.find((sample) => keyOf(sample) === wanted)?.value;
}

function keyOf({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return [name, ...pairs.sort()].join(' ');
}
