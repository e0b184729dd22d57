import { MOCK_MODELS } from './answer/fault-catalogue.ts';
import type { Dialect } from './answer/asked-request.ts';
import { formatUtcTime } from '../core/formats/utc-time.ts';

const NAMES = Object.keys(MOCK_MODELS);

/** Returns the JSON text of a provider's list of models: all names of the catalogue. */
export function modelList(dialect: Dialect, wallMs: number): string {
  return JSON.stringify(LISTS[dialect](wallMs));
}

function openAiList(wallMs: number): unknown {
  const created = Math.floor(wallMs / 1000);
  return { object: 'list', data: NAMES.map((id) => ({ id, object: 'model', created, owned_by: 'mock' })) };
}

const LISTS = {
  chat: openAiList,
  responses: openAiList,
  anthropic: (wallMs) => ({
    data: NAMES.map((id) => ({ type: 'model', id, display_name: id, created_at: formatUtcTime(wallMs) })),
    has_more: false,
    first_id: NAMES[0],
    last_id: NAMES.at(-1),
  }),
  ollama: (wallMs) => ({
    models: NAMES.map((name) => ({
      name,
      model: name,
      modified_at: formatUtcTime(wallMs),
      size: 0,
      digest: '',
      details: { format: 'mock', family: 'mock', parameter_size: '', quantization_level: '' },
    })),
  }),
} as const satisfies Record<Dialect, (wallMs: number) => unknown>;
