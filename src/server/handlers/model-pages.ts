import { create } from '@bufbuild/protobuf';
import {
  type ListModelsRequest,
  type ListModelsResponse,
  ListModelsResponseSchema,
  type Model,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { namedChoices } from '../../core/failure.ts';
import type { AllowedUse, GatewayPort } from '../port/gateway-port.ts';
import { callError, type ErrorContext, invalidRequest, refusal } from '../errors/status.ts';
import { validateListModels } from '../validation/requests.ts';
import type { Violation } from '../port/violations.ts';

/** Models on a page where the caller names no number. */
const DEFAULT_PAGE_SIZE = 100;

/** Most models on a page; a larger number is taken for this one (AIP-158). */
const MAX_PAGE_SIZE = 1000;

/**
 * Answers ListModels with what the caller may use. The token of a page is the last model before it, so that pages stay right where models come and go.
 * Rejects with a ConnectError: INVALID_ARGUMENT for a bad size or token, NOT_FOUND for an unknown target.
 */
export async function modelPage(
  gateway: Pick<GatewayPort, 'models' | 'targets' | 'allowedTargets'>,
  request: ListModelsRequest,
  context: ErrorContext,
  use?: AllowedUse,
): Promise<ListModelsResponse> {
  const violations = validateListModels(request);
  if (violations.length > 0) throw invalidField(violations, context);
  const allowed = use && gateway.allowedTargets?.(use);
  const isAllowed = (target: string): boolean => allowed?.has(target) !== false;
  const targets = gateway
    .targets()
    .map(({ target }) => target)
    .filter(isAllowed);
  if (request.target !== '' && !targets.includes(request.target)) {
    const message = `There is no such target; there are: ${namedChoices(targets)}.`;
    throw callError(refusal({ class: 'bad_request', reason: 'TARGET_NOT_FOUND', message, field: 'target' }), context);
  }
  const all = await gateway.models();
  const models = all.filter(({ target }) => isAllowed(target) && (request.target === '' || target === request.target));
  const start = request.pageToken === '' ? 0 : models.findIndex((model) => tokenOf(model) === request.pageToken) + 1;
  if (request.pageToken !== '' && start === 0) {
    throw invalidField(
      [{ field: 'page_token', description: 'is no token of a page of this list; begin again' }],
      context,
    );
  }
  const size = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : Math.min(request.pageSize, MAX_PAGE_SIZE);
  const page = models.slice(start, start + size);
  const last = page.at(-1);
  const nextPageToken = last !== undefined && start + size < models.length ? tokenOf(last) : '';
  return create(ListModelsResponseSchema, { models: page, nextPageToken });
}

function invalidField(violations: readonly Violation[], context: ErrorContext): Error {
  return callError(invalidRequest(violations), { ...context, violations });
}

function tokenOf(model: Model): string {
  return Buffer.from(JSON.stringify([model.target, model.id])).toString('base64url');
}
