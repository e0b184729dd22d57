package understudy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ErrorDomain is the domain of the reasons that the gateway gives.
const ErrorDomain = "understudy"

// Error is what a call that failed says. Every error of a call of a [Client] is one:
//
//	var failed *understudy.Error
//	if errors.As(err, &failed) && failed.Reason == understudy.ReasonCircuitOpen {
//
// It has the status of gRPC (so that status.Code and status.FromError work), and errors.Is finds [context.Canceled] and
// [context.DeadlineExceeded] by its code.
type Error struct {
	// Code is the status code of gRPC: Unknown for something that is no error of a call.
	Code codes.Code
	// Reason says why. Empty where the error carries none, so that it does not come from the gateway.
	Reason Reason
	// Message is the same in words.
	Message string
	// Domain is who gives the reason: [ErrorDomain] for the gateway. Empty for none.
	Domain string
	// Metadata has further facts of the reason, such as "attempts" and "lastProvider".
	Metadata map[string]string
	// RetryAfter is how long to wait before a repeat; 0 where nobody said.
	RetryAfter time.Duration
	// MayRetry tells whether a repeat cannot bill twice: the gateway invites to it, or says that no provider was asked, or was
	// never reached. False where that is not certain.
	MayRetry bool
	// Violations says what is wrong with the request.
	Violations []FieldViolation
	// QuotaViolations says which limits are used up.
	QuotaViolations []QuotaViolation
	// RequestID is the id of the request. Empty for none.
	RequestID string
	// Attempts is what the gateway tried, in order: which provider, why it failed, how long, what it cost. Empty where it tried
	// nothing, or the error is not its own.
	Attempts []*Attempt

	status *status.Status
	cause  error
	// wasUnsent says that no gateway could be reached, and isDraining that the only one is going down.
	wasUnsent, isDraining bool
}

// FieldViolation is a field of the request that is wrong, such as "messages[0].role".
type FieldViolation struct {
	Field, Description string
}

// QuotaViolation is a limit that is used up, such as that of "target:openai".
type QuotaViolation struct {
	Subject, Description string
}

// Error tells the code, the words, the reason, the id of the request, and each field that is wrong.
func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "understudy: %s", e.Code)
	if e.Message != "" {
		fmt.Fprintf(&text, ": %s", e.Message)
	}
	for _, violation := range e.Violations {
		fmt.Fprintf(&text, "; %s: %s", violation.Field, violation.Description)
	}
	switch {
	case e.Reason != "" && e.RequestID != "":
		fmt.Fprintf(&text, " (%s, request %s)", e.Reason, e.RequestID)
	case e.Reason != "":
		fmt.Fprintf(&text, " (%s)", e.Reason)
	}
	return text.String()
}

// GRPCStatus returns the status of gRPC with all of its details.
func (e *Error) GRPCStatus() *status.Status {
	if e.status != nil {
		return e.status
	}
	return status.New(e.Code, e.Message)
}

// Unwrap returns the error that was decoded, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// Is tells whether the error is [context.Canceled] or [context.DeadlineExceeded], by its code.
func (e *Error) Is(target error) bool {
	return (target == context.Canceled && e.Code == codes.Canceled) ||
		(target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded)
}

// Timeout tells whether time was up.
func (e *Error) Timeout() bool { return e.Code == codes.DeadlineExceeded }

// LogValue is what log/slog writes of it.
func (e *Error) LogValue() slog.Value {
	tried := make([]string, 0, len(e.Attempts))
	for _, attempt := range e.Attempts {
		tried = append(tried, attempt.GetTarget()+"="+strings.TrimPrefix(attempt.GetOutcome().String(), "ERROR_REASON_"))
	}
	return slog.GroupValue(
		slog.String("code", e.Code.String()),
		slog.String("reason", string(e.Reason)),
		slog.String("message", e.Message),
		slog.String("request_id", e.RequestID),
		slog.Any("attempts", tried),
	)
}

// DecodeError reads an error, whatever it is, and never panics; nil for nil. What cannot be read is left out.
//
// It takes the errors of a [Client], those of bare stubs of gRPC, also where they are wrapped, and any other, which has code
// Unknown. The gateway's last word on repeats stands in the trailer, which the errors of bare stubs do not have: give what
// [grpc.Trailer] got.
func DecodeError(err error, trailer ...metadata.MD) (decoded *Error) {
	if err == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			decoded = &Error{Code: codes.Unknown, Message: "an error that cannot be read"}
		}
	}()
	var own *Error
	if errors.As(err, &own) && own != nil {
		return own
	}
	return decode(err, nil, metadata.Join(trailer...), false)
}

const pushbackHeader = "grpc-retry-pushback-ms"

// reasonsBeforeContact are given only before a provider is asked, or with a trail that says otherwise.
var reasonsBeforeContact = map[Reason]bool{
	ReasonCircuitOpen: true, ReasonOverloaded: true, ReasonLimitsUnavailable: true,
}

// notProcessed is what gRPC says of calls that the server has refused to look at: it is about to close the connection, or has
// too many of them.
var notProcessed = regexp.MustCompile("^the stream is rejected because server is draining|RST_STREAM with error code: REFUSED_STREAM")

// draining is what gRPC says where no gateway serves, and one of them says so itself.
const draining = "health check failed"

// decode reads the error of a call. wasUnsent says for certain that not a byte of it has left.
func decode(err error, header, trailer metadata.MD, wasUnsent bool) *Error {
	found := &Error{cause: err, status: statusOf(err)}
	found.Code, found.Message = found.status.Code(), found.status.Message()
	hasRetryInfo := false
	for _, detail := range found.status.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if found.Domain == "" || (found.Domain != ErrorDomain && detail.GetDomain() == ErrorDomain) {
				found.Reason, found.Domain = Reason(detail.GetReason()), detail.GetDomain()
				found.Metadata = maps.Clone(detail.GetMetadata())
			}
		case *errdetails.RetryInfo:
			hasRetryInfo = true
			found.RetryAfter = max(0, detail.GetRetryDelay().AsDuration())
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				found.Violations = append(found.Violations, FieldViolation{violation.GetField(), violation.GetDescription()})
			}
		case *errdetails.QuotaFailure:
			for _, violation := range detail.GetViolations() {
				found.QuotaViolations = append(
					found.QuotaViolations, QuotaViolation{violation.GetSubject(), violation.GetDescription()},
				)
			}
		case *errdetails.RequestInfo:
			found.RequestID = detail.GetRequestId()
		case *AttemptTrail:
			found.Attempts = detail.GetAttempts()
		}
	}
	for _, told := range []metadata.MD{trailer, header} {
		if ids := told.Get(requestIDHeader); found.RequestID == "" && len(ids) > 0 {
			found.RequestID = ids[0]
		}
	}
	found.wasUnsent = wasUnsent && found.Code == codes.Unavailable
	found.isDraining = found.wasUnsent && strings.Contains(found.Message, draining)
	pushback, hasPushback := readPushback(trailer)
	switch {
	case hasPushback && pushback >= 0:
		found.MayRetry, found.RetryAfter = true, pushback
	case hasPushback:
	case found.Domain == "":
		found.MayRetry = found.wasUnsent || (found.Code == codes.Unavailable && notProcessed.MatchString(found.Message))
	case found.Domain == ErrorDomain && (hasRetryInfo || reasonsBeforeContact[found.Reason]):
		found.MayRetry = !wasContacted(found.Attempts)
	}
	return found
}

// statusOf reads the status of an error; errors of contexts have their codes.
func statusOf(err error) *status.Status {
	if found, ok := status.FromError(err); ok && found.Code() != codes.OK {
		var inner interface{ GRPCStatus() *status.Status }
		if errors.As(err, &inner) {
			return inner.GRPCStatus()
		}
		return found
	}
	return status.FromContextError(err)
}

func wasContacted(attempts []*Attempt) bool {
	for _, attempt := range attempts {
		if attempt.GetKind() != AttemptKind_ATTEMPT_KIND_SKIPPED {
			return true
		}
	}
	return false
}

var pushbackForm = regexp.MustCompile(`^[0-9]{1,10}$`)

// readPushback returns -1 where a pushback forbids a repeat or cannot be read, which means the same (gRFC A6).
func readPushback(trailer metadata.MD) (time.Duration, bool) {
	values := trailer.Get(pushbackHeader)
	if len(values) == 0 {
		return 0, false
	}
	if len(values) > 1 || !pushbackForm.MatchString(values[0]) {
		return -1, true
	}
	milliseconds, _ := strconv.ParseInt(values[0], 10, 64)
	return time.Duration(milliseconds) * time.Millisecond, true
}

// interruptedError is the error of a stream that ended without finished; it looks as the gateway's own for a broken answer.
func interruptedError() *Error {
	made := status.New(codes.Aborted, `the stream ended without "finished"`)
	info := &errdetails.ErrorInfo{
		Reason: string(ReasonStreamInterrupted), Domain: ErrorDomain, Metadata: map[string]string{"origin": "client"},
	}
	if detailed, err := made.WithDetails(info); err == nil {
		made = detailed
	}
	return decode(made.Err(), nil, nil, false)
}

// closedError is the error of a stream that this side has left, or of a call whose client was closed.
func closedError(why string) *Error {
	return decode(status.Error(codes.Canceled, why), nil, nil, false)
}
