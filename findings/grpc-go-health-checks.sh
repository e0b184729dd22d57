#!/usr/bin/env bash
# grpc-go 1.85.0 (Go modules): what "healthCheckConfig" in a service config does, and what a stream does that its reader leaves.
#
# Without an import of google.golang.org/grpc/health, which nothing else asks for, the health check is left out without an error: calls
# go to a server that says NOT_SERVING. With it, that server gets no call at all while it is the only one, not even Check of
# grpc.health.v1, whose answer would have been NOT_SERVING. A loop over Recv that is left without ending the context goes on.
#
# Seen:
#   without the import: call OK, check OK NOT_SERVING
#   with the import: call Unavailable, check Unavailable
#   1 s after its loop was left: the stream goes on
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

var title = "without the import"

var left = make(chan bool, 1)

type health struct{ healthpb.UnimplementedHealthServer }

func (health) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}, nil
}

// List stands for a call of any service.
func (health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	return &healthpb.HealthListResponse{}, nil
}

func (health) Watch(_ *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	_ = stream.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING})
	<-stream.Context().Done()
	left <- true
	return nil
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health{})
	go func() { _ = server.Serve(listener) }()
	open := func(config string) healthpb.HealthClient {
		conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithDefaultServiceConfig(config),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			panic(err)
		}
		return healthpb.NewHealthClient(conn)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client := open(`{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`)
	_, failed := client.List(ctx, &healthpb.HealthListRequest{})
	answer, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
	said := status.Code(err).String()
	if status.Code(err) == codes.OK {
		said += " " + answer.GetStatus().String()
	}
	fmt.Printf("%s: call %s, check %s\n", title, status.Code(failed), said)
	if title == "without the import" {
		return
	}
	watch, err := open(`{}`).Watch(context.Background(), &healthpb.HealthCheckRequest{})
	if err != nil {
		panic(err)
	}
	for {
		if _, err := watch.Recv(); err != nil {
			panic(err)
		}
		break
	}
	select {
	case <-left:
		fmt.Println("the stream was aborted")
	case <-time.After(time.Second):
		fmt.Println("1 s after its loop was left: the stream goes on")
	}
}
GO
cat > health.go <<'GO'
//go:build health

package main

import _ "google.golang.org/grpc/health"

func init() { title = "with the import" }
GO
go mod init finding 2> /dev/null
go mod edit -require google.golang.org/grpc@v1.85.0
GOFLAGS=-mod=mod go mod tidy 2> /dev/null
{ go run . && go run -tags health .; } 2> /dev/null | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
without the import: call OK, check OK NOT_SERVING
with the import: call Unavailable, check Unavailable
1 s after its loop was left: the stream goes on
SEEN
