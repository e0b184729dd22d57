package understudy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"understudy.internal/understudy"
)

func wrong() error {
	return errorOf(codes.InvalidArgument, understudy.ReasonInvalidRequest,
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "prompt", Description: "is empty"}}},
		&errdetails.RequestInfo{RequestId: "id-1"})
}

func TestErrorsOfCallsSayAllThatTheGatewaySaid(t *testing.T) {
	served := failing(9, "", errorOf(codes.ResourceExhausted, understudy.ReasonAllProvidersFailed,
		retryInfo(1500*time.Millisecond), trailOf(first), &errdetails.RequestInfo{RequestId: "id-1"},
		&errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{Subject: "target:lead", Description: "used up"}}},
	)).start(t, "")
	err := fmt.Errorf("while asking: %w", generate(t.Context(), client(t, served.address)))
	var failed *understudy.Error
	if !errors.As(err, &failed) {
		t.Fatalf("it is a %T", err)
	}
	if failed.Code != codes.ResourceExhausted || failed.Reason != understudy.ReasonAllProvidersFailed ||
		failed.Message != "made by a test" || failed.Domain != "understudy" || failed.RetryAfter != 1500*time.Millisecond ||
		failed.MayRetry || failed.RequestID != "id-1" || len(failed.Attempts) != 1 || failed.Attempts[0].GetTarget() != "lead" ||
		len(failed.QuotaViolations) != 1 || failed.QuotaViolations[0].Subject != "target:lead" {
		t.Fatalf("%+v", failed)
	}
	if understudy.DecodeError(err) != failed {
		t.Fatal("decoding an error again makes another")
	}
	if found, ok := status.FromError(failed); !ok || status.Code(failed) != codes.ResourceExhausted || len(found.Details()) != 5 {
		t.Fatal(found)
	}
}

func TestErrorsPrint(t *testing.T) {
	failed := understudy.DecodeError(wrong())
	want := "understudy: InvalidArgument: made by a test; prompt: is empty (INVALID_REQUEST, request id-1)"
	if failed.Error() != want {
		t.Fatalf("%q instead of %q", failed.Error(), want)
	}
	trail := understudy.DecodeError(errorOf(codes.Unavailable, understudy.ReasonCircuitOpen, trailOf(skipped)))
	if printed := trail.GRPCStatus().Proto().String(); !strings.Contains(printed, "ATTEMPT_KIND_SKIPPED") {
		t.Fatalf("details do not print: %s", printed)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", trail)
	if line := log.String(); !strings.Contains(line, "error.reason=CIRCUIT_OPEN") || !strings.Contains(line, "lead=") {
		t.Fatal(line)
	}
}

type odd struct{}

func (*odd) Error() string { panic("cannot be told") }

func TestDecodeErrorTakesAnything(t *testing.T) {
	if understudy.DecodeError(nil) != nil {
		t.Fatal("nil is an error")
	}
	broken := status.FromProto(status.New(codes.Internal, "broken").Proto())
	proto := broken.Proto()
	proto.Details = []*anypb.Any{
		{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: []byte("no protobuf")}, {TypeUrl: "type.googleapis.com/not.Known"},
	}
	var none *understudy.Error
	for name, test := range map[string]struct {
		err  error
		code codes.Code
	}{
		"something else":       {errors.New("disk full"), codes.Unknown},
		"a context's end":      {fmt.Errorf("reading: %w", context.Canceled), codes.Canceled},
		"a context's deadline": {context.DeadlineExceeded, codes.DeadlineExceeded},
		"a bare status":        {status.Error(codes.NotFound, "no"), codes.NotFound},
		"a wrapped status":     {fmt.Errorf("asking: %w", wrong()), codes.InvalidArgument},
		"broken details":       {status.ErrorProto(proto), codes.Internal},
		"a nil *Error":         {none, codes.Unknown},
		"an error that panics": {&odd{}, codes.Unknown},
	} {
		if failed := understudy.DecodeError(test.err); failed == nil || failed.Code != test.code || failed.MayRetry {
			t.Errorf("%s: %+v", name, failed)
		}
	}
	if failed := understudy.DecodeError(fmt.Errorf("asking: %w", wrong())); len(failed.Violations) != 1 || failed.Message != "made by a test" {
		t.Errorf("%+v", failed)
	}
}

func TestErrorsAreThoseOfContexts(t *testing.T) {
	canceled, late := understudy.DecodeError(status.Error(codes.Canceled, "")), understudy.DecodeError(status.Error(codes.DeadlineExceeded, ""))
	if !errors.Is(canceled, context.Canceled) || errors.Is(canceled, context.DeadlineExceeded) ||
		!errors.Is(late, context.DeadlineExceeded) || !late.Timeout() || canceled.Timeout() {
		t.Fatal(canceled, late)
	}
}

func TestErrorsOfBareStubsAreReadWithTheirTrailers(t *testing.T) {
	served := failing(9, "-1", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen, trailOf(skipped))).start(t, "")
	stub := understudy.NewLlmServiceClient(client(t, served.address).Conn())
	var trailer metadata.MD
	_, err := stub.Generate(t.Context(), &understudy.GenerateRequest{}, grpc.Trailer(&trailer))
	if failed := understudy.DecodeError(err, trailer); failed.Reason != understudy.ReasonCircuitOpen || failed.MayRetry {
		t.Fatalf("%+v", failed)
	}
	if failed := understudy.DecodeError(err); !failed.MayRetry {
		t.Fatalf("without a trailer the details count: %+v", failed)
	}
}

func TestTheRequestIDOfTheTrailerCounts(t *testing.T) {
	served := (&server{generate: func(ctx context.Context, _ *understudy.GenerateRequest) (*understudy.GenerateResponse, error) {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("x-request-id", "id-2"))
		return nil, status.Error(codes.Internal, "no details")
	}}).start(t, "")
	if failed := understudy.DecodeError(generate(t.Context(), client(t, served.address))); failed.RequestID != "id-2" {
		t.Fatalf("%+v", failed)
	}
}

func TestEveryReasonHasAName(t *testing.T) {
	named := map[understudy.Reason]bool{
		understudy.ReasonInvalidRequest: true, understudy.ReasonContextLengthExceeded: true, understudy.ReasonUnsupportedParameter: true,
		understudy.ReasonPromptBlocked: true, understudy.ReasonCostLimitExceeded: true, understudy.ReasonModelNotFound: true,
		understudy.ReasonRouteNotFound: true, understudy.ReasonTargetNotFound: true, understudy.ReasonNoProviderConfigured: true,
		understudy.ReasonAuthRequired: true, understudy.ReasonAuthInvalid: true, understudy.ReasonModelForbidden: true,
		understudy.ReasonRateLimited: true, understudy.ReasonOverloaded: true, understudy.ReasonShuttingDown: true,
		understudy.ReasonCircuitOpen: true, understudy.ReasonDeadline: true, understudy.ReasonCancelled: true,
		understudy.ReasonSlowReader: true, understudy.ReasonProviderAuthFailed: true, understudy.ReasonProviderModelNotFound: true,
		understudy.ReasonProviderRateLimited: true, understudy.ReasonProviderQuotaExhausted: true, understudy.ReasonProviderUnavailable: true,
		understudy.ReasonProviderTimeout: true, understudy.ReasonProviderProtocolError: true, understudy.ReasonStreamInterrupted: true,
		understudy.ReasonAllProvidersFailed: true, understudy.ReasonInternal: true, understudy.ReasonSchemaMismatch: true,
		understudy.ReasonMessageTooLarge: true, understudy.ReasonBudgetExhausted: true, understudy.ReasonCallerRateLimited: true,
		understudy.ReasonLimitsUnavailable: true, understudy.ReasonLedgerNotConfigured: true, understudy.ReasonLedgerUnavailable: true,
		understudy.ReasonUsageForbidden: true,
	}
	for number, name := range understudy.ErrorReason_name {
		reason := understudy.Reason(strings.TrimPrefix(name, "ERROR_REASON_"))
		if number != 0 && !named[reason] {
			t.Errorf("reason.go lacks %s", reason)
		}
		delete(named, reason)
	}
	if len(named) != 0 {
		t.Errorf("the contract lacks %v", named)
	}
}
