import type { z } from 'zod';

import { formatPath, problemAt, type ConfigProblem } from '../port/problem.ts';

/**
 * Puts the schema's issues into words, with the path and the value as it was written.
 *
 * @param raw - the config before variables were put in, so that no secret of the environment can be shown
 */
export function schemaProblems(issues: readonly z.core.$ZodIssue[], raw: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'unknown field' }));
    }
    const inForm = issue.code === 'invalid_union' ? issuesOfForm(issue.errors) : undefined;
    if (inForm !== undefined) {
      return schemaProblems(
        inForm.map((within) => Object.assign(within, { path: [...issue.path, ...within.path] })),
        raw,
      );
    }
    const aboutLength = (issue.code === 'too_small' || issue.code === 'too_big') && issue.origin === 'array';
    return [
      aboutLength
        ? { path: formatPath(issue.path), message: issue.message }
        : problemAt(raw, issue.path, issue.message),
    ];
  });
}

/** Of several forms that a value may have, the one it has, though with something wrong within; undefined where it has none. */
function issuesOfForm(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  return forms.find((issues) => issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'));
}
