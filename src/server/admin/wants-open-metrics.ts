const OPEN_METRICS = 'application/openmetrics-text';

/** Whether a request asks for OpenMetrics by its `Accept`, as Prometheus does: it stands there, in a version that there is, and not with q=0. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const of = (name: string): string | undefined =>
      parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const version = of('version') ?? '1.0.0';
    return type === OPEN_METRICS && (version === '1.0.0' || version === '0.0.1') && Number(of('q') ?? 1) > 0;
  });
}
