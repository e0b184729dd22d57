package understudy

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// reach tells whether a byte of a call has left, so that the gateway may know of it.
type reach struct {
	wasSent atomic.Bool
}

type reachKey struct{}

func (r *reach) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, reachKey{}, r)
}

// reachWatch notes for each call that has a reach when its headers are sent. gRPC tries anew, without telling, only what no
// server has seen; so the last try counts.
type reachWatch struct{}

func (reachWatch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if found, ok := ctx.Value(reachKey{}).(*reach); ok {
		found.wasSent.Store(false)
	}
	return ctx
}

func (reachWatch) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutHeader); !ok {
		return
	}
	if found, ok := ctx.Value(reachKey{}).(*reach); ok {
		found.wasSent.Store(true)
	}
}

func (reachWatch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (reachWatch) HandleConn(context.Context, stats.ConnStats) {}
