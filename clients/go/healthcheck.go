package understudy

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// ServingStatus tells whether a service serves (grpc.health.v1).
type ServingStatus = healthpb.HealthCheckResponse_ServingStatus

// The answers of [Client.Check] and [Client.Watch].
const (
	// Serving: it serves.
	Serving = healthpb.HealthCheckResponse_SERVING
	// NotServing: it does not, such as a gateway that is going down.
	NotServing = healthpb.HealthCheckResponse_NOT_SERVING
	// ServiceUnknown: there is no such service; only of [Client.Watch].
	ServiceUnknown = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

// Check asks grpc.health.v1 whether a service serves: "" for the gateway, "readiness", "understudy.target.NAME" and others.
// NotFound is the error where there is no such service. It goes over a connection of its own, also to a gateway that does not
// serve.
func (c *Client) Check(ctx context.Context, service string, options ...grpc.CallOption) (ServingStatus, error) {
	request := &healthpb.HealthCheckRequest{Service: service}
	response, err := invoke(ctx, c, c.newCall(c.settings.timeouts.Check, options), c.health.Check, request)
	return response.GetStatus(), err
}

// Watch tells whether a service serves, at once and whenever that changes, until the loop is left or the context ends. An error
// is the last that comes.
func (c *Client) Watch(ctx context.Context, service string, options ...grpc.CallOption) iter.Seq2[ServingStatus, error] {
	return func(yield func(ServingStatus, error) bool) {
		watch := &reader[healthpb.HealthCheckResponse]{
			client: c,
			parent: ctx,
			call:   c.newCall(0, options),
			open: func(
				ctx context.Context, options ...grpc.CallOption,
			) (grpc.ServerStreamingClient[healthpb.HealthCheckResponse], error) {
				return c.health.Watch(ctx, &healthpb.HealthCheckRequest{Service: service}, options...)
			},
		}
		watch.all(func(response *healthpb.HealthCheckResponse, err error) bool {
			return yield(response.GetStatus(), err)
		})
	}
}
