import type {
  ChatRequest,
  GenerateRequest,
  ListModelsRequest,
  StreamChatRequest,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../../gen/understudy/v1/routing_pb.ts';
import { MAX_LABEL_KEY_LENGTH, MAX_LABEL_VALUE_LENGTH, MAX_LABELS } from '../../core/label-limits.ts';
import { isRequestId, MAX_REQUEST_ID_LENGTH } from '../port/limits.ts';
import { checkMessages } from './message-rules.ts';
import { checkModel, checkName, checkOptions, checkRouting } from './option-ranges.ts';
import { checkTools } from './tool-definitions.ts';
import { collectViolations, isKnownEnumValue, type Report, type Violation } from '../port/violations.ts';

/** Lists what is wrong with a request of Chat or StreamChat, all fields at once, 20 at most. */
export function validateChat(request: ChatRequest | StreamChatRequest): readonly Violation[] {
  return collectViolations((report) => {
    checkMessages(request.messages, report);
    checkTools(request.tools, request.toolChoice, report);
    checkCommon(request, report);
    if ('recovery' in request && !isKnownEnumValue(Recovery, request.recovery)) {
      report('recovery', 'must be one of the ways to recover');
    }
  });
}

/** Lists what is wrong with a request of Generate, all fields at once, 20 at most. */
export function validateGenerate(request: GenerateRequest): readonly Violation[] {
  return collectViolations((report) => {
    if (request.prompt === '') report('prompt', 'must not be empty');
    checkCommon(request, report);
  });
}

/** Lists what is wrong with a request of ListModels, as far as it can be seen without the models. */
export function validateListModels(request: ListModelsRequest): readonly Violation[] {
  return collectViolations((report) => {
    if (request.pageSize < 0) report('page_size', 'must not be negative');
    checkName(request.target, 'target', report);
  });
}

function checkCommon(request: ChatRequest | StreamChatRequest | GenerateRequest, report: Report): void {
  checkModel(request.model, 'model', report);
  if (request.options !== undefined) checkOptions(request.options, report);
  if (request.routing !== undefined) checkRouting(request.routing, report);
  checkLabels(request.labels, report);
  if (request.requestId !== '' && !isRequestId(request.requestId)) {
    report('request_id', `must be at most ${MAX_REQUEST_ID_LENGTH} printable ASCII characters`);
  }
}

function checkLabels(labels: Readonly<Record<string, string>>, report: Report): void {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) report('labels', `must have at most ${MAX_LABELS} entries`);
  for (const [key, value] of entries) {
    const path = `labels[${JSON.stringify(key.slice(0, MAX_LABEL_KEY_LENGTH))}]`;
    if (key === '' || key.length > MAX_LABEL_KEY_LENGTH)
      report(path, `the key must have 1 to ${MAX_LABEL_KEY_LENGTH} characters`);
    if (value.length > MAX_LABEL_VALUE_LENGTH)
      report(path, `the value must have at most ${MAX_LABEL_VALUE_LENGTH} characters`);
  }
}
