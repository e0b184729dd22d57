import { splitEntry } from './check.ts';
import type { FileConfig } from './file/schema.ts';
import type { RouteConfig } from './port/resolved.ts';

/** Makes the routes of a checked config; where it names none `default`, that is all targets in their order. */
export function resolveRoutes(file: FileConfig, targetNames: readonly string[]): readonly RouteConfig[] {
  const routes = file.routes.map((route): RouteConfig => ({
    name: route.name,
    entries: route.targets.map(splitEntry),
  }));
  if (routes.some((route) => route.name === 'default')) return routes;
  return [{ name: 'default', entries: targetNames.map((target) => ({ target })) }, ...routes];
}
