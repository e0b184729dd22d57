import { registerHooks } from 'node:module';

import tsconfig from '../tsconfig.json' with { type: 'json' };

// Lets a program import the packages of this repository by their names without a build, as `paths` of tsconfig.json has them.

const sources = Object.entries(tsconfig.compilerOptions.paths);

registerHooks({
  resolve(specifier, context, next) {
    const found = sources.find(([name]) =>
      name.endsWith('*') ? specifier.startsWith(name.slice(0, -1)) : specifier === name,
    );
    if (found === undefined) return next(specifier, context);
    const [name, [source = '']] = found;
    const path = source.replace('*', specifier.slice(name.length - 1));
    return next(new URL(`../${path}`, import.meta.url).href, context);
  },
});
