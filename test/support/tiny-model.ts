import type { Tensor } from './gguf.ts';
import { GgufWriter } from './gguf.ts';

/** What the tiny model says after each of the markers that a prompt can end with, piece by piece. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  '<|say|>': ['Hello', '▁from', '▁a', '▁tiny', '▁model.'],
  '<think>': ['Let', '▁me', '▁greet.', '</think>', 'Hi', '▁there.'],
  '<|call|>': ['<tool_call>', '{"name":▁"weather",', '"arguments":▁{"city":', '▁"Oslo"}}', '</tool_call>'],
  '<|told|>': ['It', '▁rains.'],
  '<|json|>': ['{"city":', '"Bergen"', '}'],
};

/** Where the model never stops. */
const ENDLESS = '<|sing|>';
const REFRAIN = ['▁la', '▁li'] as const;

/** Where it says one token over and over, which the server takes for a fault of the model. */
const STUCK = '<|hum|>';

/**
 * A template by which the last message, or the tools, choose what the model says. It is told of as able to call tools and to
 * think.
 */
export const TINY_TEMPLATE = `{{- $end := "<|say|>" }}
{{- if .Tools }}{{ $end = "<|call|>" }}{{ end }}
{{- range .Messages }}
{{- if eq .Role "tool" }}{{ $end = "<|told|>" }}
{{- else if eq .Content "Sing." }}{{ $end = "${ENDLESS}" }}
{{- else if eq .Content "Hum." }}{{ $end = "${STUCK}" }}
{{- else if eq .Content "JSON." }}{{ $end = "<|json|>" }}{{ end }}
{{- if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}
{{- .Content }}
{{- if .ToolCalls }}<tool_call>
{{- range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}{{ end }}</tool_call>
{{- end }}
{{- end }}
{{- if and .IsThinkSet .Think (eq $end "<|say|>") }}<think>{{ else }}{{ $end }}{{ end }}`;

const NORMAL = 1;
const CONTROL = 3;
const BYTE = 6;

/** One dimension for each token: a token is the vector that has 1 in its own. */
const WIDTH = 512;
const HIDDEN = 32;
const HEADS = 8;
/** Tokens of the context that the model claims to have been trained on. */
const CONTEXT = 2_048;

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** The token that follows each token. */
  readonly next: readonly number[];
}

/**
 * Writes a GGUF file of a language model of one layer, of the architecture `llama`, that needs no training: attention and
 * feed-forward are zero, so that each token decides by itself which one follows.
 */
export function tinyModel(): Uint8Array {
  const vocabulary = makeVocabulary();
  const { tokens, types } = vocabulary;
  const tensors = makeTensors(vocabulary);
  const file = new GgufWriter();
  const metadata: readonly (readonly [string, () => void])[] = [
    ['general.architecture', () => file.text('llama')],
    ['general.name', () => file.text('tiny')],
    ['general.file_type', () => file.uint32(0)],
    ['llama.block_count', () => file.uint32(1)],
    ['llama.context_length', () => file.uint32(CONTEXT)],
    ['llama.embedding_length', () => file.uint32(WIDTH)],
    ['llama.feed_forward_length', () => file.uint32(HIDDEN)],
    ['llama.attention.head_count', () => file.uint32(HEADS)],
    ['llama.attention.head_count_kv', () => file.uint32(HEADS)],
    ['llama.attention.layer_norm_rms_epsilon', () => file.float32(1e-5)],
    ['llama.rope.dimension_count', () => file.uint32(WIDTH / HEADS)],
    ['llama.vocab_size', () => file.uint32(tokens.length)],
    ['tokenizer.ggml.model', () => file.text('llama')],
    ['tokenizer.ggml.tokens', () => file.texts(tokens)],
    ['tokenizer.ggml.scores', () => file.float32s(tokens.map(() => 0))],
    ['tokenizer.ggml.token_type', () => file.int32s(types)],
    ['tokenizer.ggml.unknown_token_id', () => file.uint32(0)],
    ['tokenizer.ggml.bos_token_id', () => file.uint32(1)],
    ['tokenizer.ggml.eos_token_id', () => file.uint32(2)],
    ['tokenizer.ggml.add_space_prefix', () => file.bool(false)],
  ];
  file.header(tensors.length, metadata.length);
  for (const [key, write] of metadata) {
    file.key(key);
    write();
  }
  file.tensors(tensors);
  return file.bytes();
}

function makeVocabulary(): Vocabulary {
  const tokens = ['<unk>', '<s>', '</s>'];
  const types = [2, CONTROL, CONTROL];
  for (let byte = 0; byte < 256; byte += 1) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(BYTE);
  }
  const next: number[] = tokens.map(() => 2);
  const add = (token: string, type: number): number => {
    types.push(type);
    next.push(2);
    return tokens.push(token) - 1;
  };
  for (const [marker, pieces] of Object.entries(CHAINS)) {
    let last = add(marker, CONTROL);
    for (const piece of pieces) {
      const following = add(piece, NORMAL);
      next[last] = following;
      last = following;
    }
  }
  const [first, second] = [add(REFRAIN[0], NORMAL), add(REFRAIN[1], NORMAL)];
  next[first] = second;
  next[second] = first;
  next[add(ENDLESS, CONTROL)] = first;
  const hum = add('▁hm', NORMAL);
  next[hum] = hum;
  next[add(STUCK, CONTROL)] = hum;
  return { tokens, types, next };
}

function makeTensors({ tokens, next }: Vocabulary): readonly Tensor[] {
  const embedding = new Float32Array(tokens.length * WIDTH);
  const output = new Float32Array(tokens.length * WIDTH);
  for (const [token, following] of next.entries()) {
    embedding[token * WIDTH + token] = 1;
    output[following * WIDTH + token] = 2;
  }
  const ones = new Float32Array(WIDTH).fill(1);
  const zeros = (columns: number, rows: number) => ({ shape: [columns, rows], data: new Float32Array(columns * rows) });
  return [
    { name: 'token_embd.weight', shape: [WIDTH, tokens.length], data: embedding },
    { name: 'blk.0.attn_norm.weight', shape: [WIDTH], data: ones },
    { name: 'blk.0.attn_q.weight', ...zeros(WIDTH, WIDTH) },
    { name: 'blk.0.attn_k.weight', ...zeros(WIDTH, WIDTH) },
    { name: 'blk.0.attn_v.weight', ...zeros(WIDTH, WIDTH) },
    { name: 'blk.0.attn_output.weight', ...zeros(WIDTH, WIDTH) },
    { name: 'blk.0.ffn_norm.weight', shape: [WIDTH], data: ones },
    { name: 'blk.0.ffn_gate.weight', ...zeros(WIDTH, HIDDEN) },
    { name: 'blk.0.ffn_up.weight', ...zeros(WIDTH, HIDDEN) },
    { name: 'blk.0.ffn_down.weight', ...zeros(HIDDEN, WIDTH) },
    { name: 'output_norm.weight', shape: [WIDTH], data: ones },
    { name: 'output.weight', shape: [WIDTH, tokens.length], data: output },
  ];
}
