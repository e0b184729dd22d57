package understudy_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"understudy.internal/understudy"
)

// server is a gRPC server of this process whose answers a test gives.
type server struct {
	understudy.UnimplementedLlmServiceServer
	generate func(context.Context, *understudy.GenerateRequest) (*understudy.GenerateResponse, error)
	chat     func(grpc.ServerStreamingServer[understudy.StreamChatResponse]) error
	models   func(*understudy.ListModelsRequest) (*understudy.ListModelsResponse, error)

	grpc    *grpc.Server
	health  *health.Server
	address string

	mu    sync.Mutex
	calls int
	got   metadata.MD
	until time.Duration
}

func (s *server) see(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.got, _ = metadata.FromIncomingContext(ctx)
	s.until = 0
	if deadline, ok := ctx.Deadline(); ok {
		s.until = time.Until(deadline)
	}
}

// seen returns how many calls came, and what the last one told.
func (s *server) seen() (calls int, got metadata.MD, until time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.got, s.until
}

func (s *server) Generate(
	ctx context.Context, request *understudy.GenerateRequest,
) (*understudy.GenerateResponse, error) {
	s.see(ctx)
	if s.generate == nil {
		return &understudy.GenerateResponse{Text: "hello"}, nil
	}
	return s.generate(ctx, request)
}

func (s *server) Chat(ctx context.Context, _ *understudy.ChatRequest) (*understudy.ChatResponse, error) {
	s.see(ctx)
	return &understudy.ChatResponse{Text: "hello"}, nil
}

func (s *server) StreamChat(
	_ *understudy.StreamChatRequest, stream grpc.ServerStreamingServer[understudy.StreamChatResponse],
) error {
	s.see(stream.Context())
	return s.chat(stream)
}

func (s *server) Health(ctx context.Context, _ *understudy.HealthRequest) (*understudy.HealthResponse, error) {
	s.see(ctx)
	return &understudy.HealthResponse{Version: "1"}, nil
}

func (s *server) ListModels(
	ctx context.Context, request *understudy.ListModelsRequest,
) (*understudy.ListModelsResponse, error) {
	s.see(ctx)
	if s.models == nil {
		return &understudy.ListModelsResponse{}, nil
	}
	return s.models(request)
}

// start serves until the test ends, at an address or, where that is empty, at any.
func (s *server) start(t *testing.T, address string, options ...grpc.ServerOption) *server {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.grpc = grpc.NewServer(append(options, grpc.MaxRecvMsgSize(understudy.MaxReceiveBytes))...)
	s.health = health.NewServer()
	understudy.RegisterLlmServiceServer(s.grpc, s)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	go func() { _ = s.grpc.Serve(listener) }()
	t.Cleanup(s.grpc.Stop)
	return s
}

// client makes a client that is closed when the test ends.
func client(t *testing.T, address string, options ...understudy.Option) *understudy.Client {
	t.Helper()
	made, err := understudy.New(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// errorOf makes an error as the gateway does.
func errorOf(code codes.Code, reason understudy.Reason, details ...proto.Message) error {
	all := []protoadapt.MessageV1{
		protoadapt.MessageV1Of(&errdetails.ErrorInfo{Reason: string(reason), Domain: understudy.ErrorDomain}),
	}
	for _, detail := range details {
		all = append(all, protoadapt.MessageV1Of(detail))
	}
	made, err := status.New(code, "made by a test").WithDetails(all...)
	if err != nil {
		panic(err)
	}
	return made.Err()
}

func trailOf(kind understudy.AttemptKind) *understudy.AttemptTrail {
	return &understudy.AttemptTrail{Attempts: []*understudy.Attempt{{Number: 1, Kind: kind, Target: "lead"}}}
}

func text(sequence int64, words string) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_TextDelta_{
		TextDelta: &understudy.StreamChatResponse_TextDelta{Text: words},
	}}
}

func finished(sequence int64) *understudy.StreamChatResponse {
	return &understudy.StreamChatResponse{Sequence: sequence, Event: &understudy.StreamChatResponse_Finished_{
		Finished: &understudy.StreamChatResponse_Finished{FinishReason: understudy.FinishReason_FINISH_REASON_STOP},
	}}
}

// within waits for something that must come soon.
func within[Value any](t *testing.T, what string, limit time.Duration, values <-chan Value) Value {
	t.Helper()
	select {
	case value := <-values:
		return value
	case <-time.After(limit):
		t.Fatalf("%s: nothing within %s", what, limit)
		panic("unreachable")
	}
}
