import { stdout } from 'node:process';
import { z } from 'zod';

import { fileSchema } from './schema.ts';

/** Lets a variable stand wherever a text has a pattern. */
const OR_VARIABLE = '|\\$\\{(?:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\\}';

/**
 * Makes the JSON Schema of the config file, for editors (draft 7, which they all know). Run as a program, it prints it.
 * Rules between fields are not in it.
 */
export function configJsonSchema(): object {
  return z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      const { pattern } = jsonSchema;
      // Zod comes here twice for a schema that is wrapped, as an optional one is.
      if (pattern !== undefined && !pattern.endsWith(OR_VARIABLE)) jsonSchema.pattern = pattern + OR_VARIABLE;
    },
  });
}

if (import.meta.main) stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
