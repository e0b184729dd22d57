package understudy

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	requestIDHeader   = "x-request-id"
	traceparentHeader = "traceparent"
)

// callOption is an option of this package; gRPC itself does nothing with it.
type callOption struct {
	grpc.EmptyCallOption
	apply func(*call)
}

// Timeout sets the deadline of a call from its start: the budget of the whole chain of providers, repeats included. 0 sends
// none; the gateway then uses its own. A deadline of the context that comes earlier wins. Without this option a deadline of
// the context is taken as it is, and a call without one gets that of its method ([Timeouts]).
func Timeout(timeout time.Duration) grpc.CallOption {
	return callOption{apply: func(c *call) { c.timeout, c.hasTimeout = timeout, true }}
}

// RequestID sends the caller's own id of the request ("x-request-id"), at most 128 printable ASCII characters. It comes back
// in answers and errors. A request_id in the message wins.
func RequestID(id string) grpc.CallOption {
	return callOption{apply: func(c *call) { c.headers = append(c.headers, requestIDHeader, id) }}
}

// Traceparent sends the W3C trace context of the caller. Instrumentation of gRPC sends it by itself.
func Traceparent(traceparent string) grpc.CallOption {
	return callOption{apply: func(c *call) { c.headers = append(c.headers, traceparentHeader, traceparent) }}
}

// MaxRetries sets how often a call is repeated at most where that cannot bill twice; 0 for never. Default: that of the client.
func MaxRetries(most int) grpc.CallOption {
	return callOption{apply: func(c *call) { c.retriesLeft = most }}
}

// call is one call and what is left of its repeats.
type call struct {
	timeout     time.Duration
	hasTimeout  bool
	headers     []string
	retriesLeft int
	backoff     time.Duration
	options     []grpc.CallOption
}

const (
	firstBackoff  = 250 * time.Millisecond
	backoffGrowth = 4
	// leastTry is the least time that a repeat must have.
	leastTry = 10 * time.Millisecond
	// drainWait is how long a call waits for another gateway where the only one is going down, which takes it 2 s and a little.
	drainWait = 5 * time.Second
)

// newCall reads the options of a call whose method has a default deadline; 0 for none.
func (c *Client) newCall(defaultTimeout time.Duration, options []grpc.CallOption) *call {
	made := &call{timeout: defaultTimeout, retriesLeft: c.settings.maxRetries, backoff: firstBackoff}
	for _, option := range options {
		if own, ok := option.(callOption); ok {
			own.apply(made)
		} else {
			made.options = append(made.options, option)
		}
	}
	return made
}

// start makes the context of the call: its deadline begins now. Metadata of the call wins over that of the client.
func (c *call) start(ctx context.Context, defaults metadata.MD) (context.Context, context.CancelFunc) {
	own, _ := metadata.FromOutgoingContext(ctx)
	own = metadata.Join(own)
	for index := 0; index < len(c.headers); index += 2 {
		own.Set(c.headers[index], c.headers[index+1])
	}
	for name, values := range defaults {
		if len(own.Get(name)) == 0 {
			own.Set(name, values...)
		}
	}
	if own.Len() > 0 {
		ctx = metadata.NewOutgoingContext(ctx, own)
	}
	_, hasDeadline := ctx.Deadline()
	// A timeout that is used up already is one, as contexts have it; 0 alone is none.
	if c.timeout == 0 || (hasDeadline && !c.hasTimeout) {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// mayRepeat waits for the repeat of a call that failed, or for the end of the client, behind which there is none. It returns the
// error that the caller gets where there is none.
func (c *call) mayRepeat(ctx context.Context, client *Client, failed *Error) *Error {
	if !failed.MayRetry || c.retriesLeft <= 0 {
		return failed
	}
	left := time.Duration(math.MaxInt64)
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline) - leastTry
	}
	wait := failed.RetryAfter
	if wait <= 0 {
		wait = time.Duration(float64(c.backoff) * (0.8 + 0.4*rand.Float64()))
		c.backoff *= backoffGrowth
	}
	if failed.isDraining {
		wait = min(drainWait, left)
	}
	if wait > left || wait <= 0 {
		return failed
	}
	c.retriesLeft--
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if failed.wasUnsent {
		awaitReady(waiting, client.conn)
	} else {
		select {
		case <-waiting.Done():
		case <-client.closed:
		}
	}
	if err := ctx.Err(); err != nil {
		return DecodeError(status.FromContextError(err).Err())
	}
	select {
	case <-client.closed: // its connections may be open for a moment yet, and would take the repeat
		return closedError("the client is closed")
	default:
		return nil
	}
}

// awaitReady waits until a gateway can be reached, the connection is closed, or the context ends; a moment in any case.
func awaitReady(ctx context.Context, conn *grpc.ClientConn) {
	moment := time.NewTimer(leastTry)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	}
	for {
		state := conn.GetState()
		if state == connectivity.Ready || state == connectivity.Shutdown || !conn.WaitForStateChange(ctx, state) {
			return
		}
	}
}

// unary is a method of a stub.
type unary[Request, Response any] func(context.Context, Request, ...grpc.CallOption) (Response, error)

// invoke makes a call, again where it may be repeated.
func invoke[Request, Response any](
	ctx context.Context, client *Client, made *call, method unary[Request, Response], request Request,
) (Response, error) {
	ctx, cancel := made.start(ctx, client.settings.metadata)
	defer cancel()
	for {
		var header, trailer metadata.MD
		var sent reach
		options := append(made.options[:len(made.options):len(made.options)], grpc.Header(&header), grpc.Trailer(&trailer))
		response, err := method(sent.in(ctx), request, options...)
		if err == nil {
			return response, nil
		}
		failed := made.mayRepeat(ctx, client, decode(err, header, trailer, !sent.wasSent.Load()))
		if failed != nil {
			var none Response
			return none, failed
		}
	}
}
