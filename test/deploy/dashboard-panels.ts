/** A panel of a dashboard, and what it asks Prometheus. */
export interface DashboardPanel {
  readonly title: string;
  readonly queries: readonly string[];
}

interface DashboardFile {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

/** Reads the panels that ask something; rows do not. */
export function panelsOf(text: string): readonly DashboardPanel[] {
  const { panels }: DashboardFile = JSON.parse(text);
  return panels.flatMap(({ title, targets = [] }) =>
    targets.length === 0 ? [] : [{ title, queries: targets.map(({ expr }) => expr) }],
  );
}
