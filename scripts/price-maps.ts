import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

// Fetches the newest public price maps by name, through the ordinary clients of their registries.

const run = promisify(execFile);

/** What a map is asked for: a model of one of our providers at an instant, since some prices depend on the hour. */
export interface PriceQuestion {
  readonly provider: string;
  readonly model: string;
  /** As ISO 8601. */
  readonly at: string;
}

/** A price map with its version; `answers` are in the order of the questions, undefined where it does not know exactly this model. */
export interface PriceMap {
  readonly version: string;
  readonly answers: readonly (Readonly<Record<string, unknown>> | undefined)[];
}

/** Returns LiteLLM's map from PyPI, whatever the hour. `folder` is an empty folder to work in. */
export async function liteLlm(folder: string, questions: readonly PriceQuestion[]): Promise<PriceMap> {
  await run('python3', ['-m', 'pip', 'download', 'litellm', '--no-deps', '--quiet', '--dest', folder]);
  const wheel = readdirSync(folder).find((name) => name.startsWith('litellm-')) ?? '';
  const path = 'litellm/model_prices_and_context_window_backup.json';
  const extract = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])';
  await run('python3', ['-c', extract, join(folder, wheel), path, folder]);
  const map = recordOf(JSON.parse(readFileSync(join(folder, path), 'utf8'))) ?? {};
  return {
    version: wheel.split('-')[1] ?? '',
    answers: questions.map((question) => recordOf(map[liteLlmId(question)])),
  };
}

function liteLlmId({ provider, model }: PriceQuestion): string {
  return provider === 'azure-openai' ? `azure/${model}` : model;
}

/** Asks the library in Python, in a folder of its own; the answers come as JSON. */
const ASK = `
import datetime, importlib.metadata, json, sys
from genai_prices import Usage, calc_price
def plain(value):
    if hasattr(value, 'tiers'):
        return {'base': str(value.base), 'tiers': [{'start': t.start, 'price': str(t.price)} for t in value.tiers]}
    return None if value is None else str(value)
def answer(q):
    at = datetime.datetime.fromisoformat(q['at'].replace('Z', '+00:00'))
    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), q['model'], provider_id=q['provider'], genai_request_timestamp=at)
    except LookupError:
        return None
    if found.model.id != q['model']:
        return None
    return {name: plain(value) for name, value in vars(found.model_price).items()}
print(json.dumps({'version': importlib.metadata.version('genai-prices'), 'answers': [answer(q) for q in json.loads(sys.argv[1])]}))
`;

/** Returns what the Python package of genai-prices says. */
export async function genAiPython(folder: string, questions: readonly PriceQuestion[]): Promise<PriceMap> {
  await run('python3', ['-m', 'pip', 'install', 'genai-prices', '--quiet', '--target', folder]);
  const env = { ...process.env, PYTHONPATH: folder };
  const { stdout } = await run('python3', ['-c', ASK, JSON.stringify(questions)], { env });
  const told = recordOf(JSON.parse(stdout)) ?? {};
  const answers: readonly unknown[] = Array.isArray(told['answers']) ? told['answers'] : [];
  return { version: String(told['version']), answers: answers.map(recordOf) };
}

/** Returns what the newest npm package of genai-prices says, whichever is installed here. */
export async function genAiNode(folder: string, questions: readonly PriceQuestion[]): Promise<PriceMap> {
  await run('npm', ['pack', '@pydantic/genai-prices@latest', '--silent', '--pack-destination', folder]);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  await run('tar', ['-xzf', join(folder, archive), '-C', folder]);
  const manifest = recordOf(JSON.parse(readFileSync(join(folder, 'package', 'package.json'), 'utf8')));
  const library: unknown = await import(pathToFileURL(join(folder, 'package', 'dist', 'index.js')).href);
  const calculate: unknown = recordOf(library)?.['calcPrice'];
  if (typeof calculate !== 'function') throw new TypeError('genai-prices has no calcPrice any more');
  const answers = questions.map(({ provider, model, at }) => {
    const options = { providerId: provider, timestamp: new Date(at) };
    const usage = { input_tokens: 1, output_tokens: 1 };
    const found = recordOf(Reflect.apply(calculate, undefined, [usage, model, options]));
    return recordOf(found?.['model'])?.['id'] === model ? recordOf(found?.['model_price']) : undefined;
  });
  return { version: String(manifest?.['version']), answers };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
