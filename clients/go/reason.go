package understudy

// Reason says why a call failed. It is the name of an [ErrorReason] without its prefix, or one that is newer than this client.
type Reason string

// The reasons that the gateway gives. [ErrorReason] says more of each.
const (
	// ReasonInvalidRequest: The request is wrong; google.rpc.BadRequest names the fields.
	ReasonInvalidRequest Reason = "INVALID_REQUEST"
	// ReasonContextLengthExceeded: The request does not fit the context window of the model.
	ReasonContextLengthExceeded Reason = "CONTEXT_LENGTH_EXCEEDED"
	// ReasonUnsupportedParameter: The model does not take a parameter, or cannot do what was asked.
	ReasonUnsupportedParameter Reason = "UNSUPPORTED_PARAMETER"
	// ReasonPromptBlocked: The provider refused the prompt.
	ReasonPromptBlocked Reason = "PROMPT_BLOCKED"
	// ReasonCostLimitExceeded: No target can answer below "max_cost_usd".
	ReasonCostLimitExceeded Reason = "COST_LIMIT_EXCEEDED"
	// ReasonModelNotFound: No target has the model that the request names.
	ReasonModelNotFound Reason = "MODEL_NOT_FOUND"
	// ReasonRouteNotFound: There is no such route.
	ReasonRouteNotFound Reason = "ROUTE_NOT_FOUND"
	// ReasonTargetNotFound: There is no such target or provider.
	ReasonTargetNotFound Reason = "TARGET_NOT_FOUND"
	// ReasonNoProviderConfigured: The gateway has no provider configured.
	ReasonNoProviderConfigured Reason = "NO_PROVIDER_CONFIGURED"
	// ReasonAuthRequired: The caller must authenticate.
	ReasonAuthRequired Reason = "AUTH_REQUIRED"
	// ReasonAuthInvalid: The caller's credential is not valid.
	ReasonAuthInvalid Reason = "AUTH_INVALID"
	// ReasonModelForbidden: The caller may not use the route, the targets or the model.
	ReasonModelForbidden Reason = "MODEL_FORBIDDEN"
	// ReasonRateLimited is not sent.
	//
	// Deprecated: ReasonCallerRateLimited says it.
	ReasonRateLimited Reason = "RATE_LIMITED"
	// ReasonOverloaded: The gateway is overloaded, or a target's slots are taken.
	ReasonOverloaded Reason = "OVERLOADED"
	// ReasonShuttingDown: The gateway is shutting down.
	ReasonShuttingDown Reason = "SHUTTING_DOWN"
	// ReasonCircuitOpen: The circuit breakers refuse every target.
	ReasonCircuitOpen Reason = "CIRCUIT_OPEN"
	// ReasonDeadline: Time was up.
	ReasonDeadline Reason = "DEADLINE"
	// ReasonCancelled: The caller cancelled.
	ReasonCancelled Reason = "CANCELLED"
	// ReasonSlowReader: The caller did not read its stream.
	ReasonSlowReader Reason = "SLOW_READER"
	// ReasonProviderAuthFailed: The provider refused the gateway's credential.
	ReasonProviderAuthFailed Reason = "PROVIDER_AUTH_FAILED"
	// ReasonProviderModelNotFound: The provider does not know a model of the configuration.
	ReasonProviderModelNotFound Reason = "PROVIDER_MODEL_NOT_FOUND"
	// ReasonProviderRateLimited: The provider limits the rate.
	ReasonProviderRateLimited Reason = "PROVIDER_RATE_LIMITED"
	// ReasonProviderQuotaExhausted: The account at the provider has no credit left.
	ReasonProviderQuotaExhausted Reason = "PROVIDER_QUOTA_EXHAUSTED"
	// ReasonProviderUnavailable: The provider cannot be reached, is overloaded, or failed.
	ReasonProviderUnavailable Reason = "PROVIDER_UNAVAILABLE"
	// ReasonProviderTimeout: The provider did not answer in time.
	ReasonProviderTimeout Reason = "PROVIDER_TIMEOUT"
	// ReasonProviderProtocolError: The provider answered with something that is not its protocol.
	ReasonProviderProtocolError Reason = "PROVIDER_PROTOCOL_ERROR"
	// ReasonStreamInterrupted: The answer broke off after its first words.
	ReasonStreamInterrupted Reason = "STREAM_INTERRUPTED"
	// ReasonAllProvidersFailed: Every provider failed; the trail says why each did.
	ReasonAllProvidersFailed Reason = "ALL_PROVIDERS_FAILED"
	// ReasonInternal: A fault of the gateway.
	ReasonInternal Reason = "INTERNAL"
	// ReasonSchemaMismatch: The answer is complete but does not match the schema of the request.
	ReasonSchemaMismatch Reason = "SCHEMA_MISMATCH"
	// ReasonMessageTooLarge: The request or the answer is larger than a message may be.
	ReasonMessageTooLarge Reason = "MESSAGE_TOO_LARGE"
	// ReasonBudgetExhausted: What the caller, or its group, may spend is spent; "renewsAt" in the metadata says until when.
	ReasonBudgetExhausted Reason = "BUDGET_EXHAUSTED"
	// ReasonCallerRateLimited: The caller, or its group, has made too many requests, asked for too many tokens, or has too many
	// calls under way.
	ReasonCallerRateLimited Reason = "CALLER_RATE_LIMITED"
	// ReasonLimitsUnavailable: The store that limits and budgets are counted in does not answer.
	ReasonLimitsUnavailable Reason = "LIMITS_UNAVAILABLE"
	// ReasonLedgerNotConfigured: The gateway keeps no ledger.
	ReasonLedgerNotConfigured Reason = "LEDGER_NOT_CONFIGURED"
	// ReasonLedgerUnavailable: The ledger does not answer.
	ReasonLedgerUnavailable Reason = "LEDGER_UNAVAILABLE"
	// ReasonUsageForbidden: The usage of others is asked for, which is told to operators alone.
	ReasonUsageForbidden Reason = "USAGE_FORBIDDEN"
)
