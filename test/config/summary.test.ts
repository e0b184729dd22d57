import { describe, expect, test } from 'vitest';

import { describeStartup } from '../../src/config/summary.ts';
import { loadEnvironment, loadText } from './loading.ts';

const DOORS = {
  grpc: '127.0.0.1:50051',
  web: '[::1]:8080',
  admin: '127.0.0.1:9464',
};

describe('the summary at start', () => {
  test('shows targets, routes, addresses and warnings', () => {
    const config = loadText('routes: [{ name: cheap, targets: [ollama, openai/gpt-6-luna] }]', {
      OPENAI_API_KEY: 'sk-1',
      OPENAI_BASE_URL: 'http://vllm:8000/v1',
      OLLAMA_BASE_URL: 'http://localhost:11434',
      AZURE_OPENAI_API_KEY: 'k',
    });
    expect(describeStartup(config, DOORS, '1.2.3')).toBe(
      `Understudy 1.2.3

target  provider  model              api               answers from     found in
openai  openai    gpt-6.1-sol        chat_completions  vllm:8000        environment (OPENAI_API_KEY)
ollama  ollama    (first installed)                    localhost:11434  environment (OLLAMA_BASE_URL)

route    order
default  openai, ollama
cheap    ollama, openai/gpt-6-luna

gRPC   127.0.0.1:50051
web    http://[::1]:8080
admin  http://127.0.0.1:9464

warning: azure-openai is left out: AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT are not set, although AZURE_OPENAI_API_KEY is set
`,
    );
  });

  test('marks mocks', () => {
    const config = loadText('targets: [{ name: a, provider: anthropic, mock: true, model: mock-ok }]');
    expect(describeStartup(config, {}, '1')).toBe(
      `Understudy 1

target  provider   model    api  answers from  found in
a       anthropic  mock-ok       mock          understudy.yaml targets[0]

route    order
default  a
`,
    );
  });

  test('says in one line that the mock answers because of --demo', () => {
    const lines = describeStartup(loadEnvironment({}, { demo: true }), DOORS, '1').split('\n');
    expect(lines[2]).toBe(
      'No provider is configured: because of --demo, the mock answers every call. No provider is called, and the answers are made up.',
    );
    expect(describeStartup(loadEnvironment({ OPENAI_API_KEY: 'k' }, { demo: true }), DOORS, '1')).not.toContain(
      'No provider',
    );
  });

  test('says in one line what happens where no provider is configured', () => {
    expect(describeStartup(loadEnvironment({}), {}, '1')).toBe(
      'Understudy 1\n\nNo provider is configured: every call fails with NO_PROVIDER_CONFIGURED. ' +
        'Set OPENAI_API_KEY or another key (`understudy serve --help` lists them), or try --demo.\n',
    );
  });

  test('shows the name of an odd file without what it does to a terminal', () => {
    const config = loadText('targets: [{ name: a, provider: mock }]', {}, { configPath: '/x/\u001B[2Jy.yaml' });
    expect(describeStartup(config, {}, '1')).toContain('?[2Jy.yaml targets[0]');
  });
});
