package understudy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"understudy.internal/understudy"
)

const (
	skipped = understudy.AttemptKind_ATTEMPT_KIND_SKIPPED
	first   = understudy.AttemptKind_ATTEMPT_KIND_FIRST
)

func retryInfo(delay time.Duration) *errdetails.RetryInfo {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
}

// failing answers with an error and a pushback ("" for none) as often as told, and then well.
func failing(times int, pushback string, err error) *server {
	return &server{generate: func(ctx context.Context, _ *understudy.GenerateRequest) (*understudy.GenerateResponse, error) {
		if times--; times < 0 {
			return &understudy.GenerateResponse{Text: "hello"}, nil
		}
		if pushback != "" {
			_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", pushback))
		}
		return nil, err
	}}
}

func TestCallsAreRepeatedOnlyWhereThatCannotBillTwice(t *testing.T) {
	for name, test := range map[string]struct {
		served  *server
		options []grpc.CallOption
		want    int
		fails   bool
	}{
		"a pushback invites": {
			served: failing(1, "20", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen, trailOf(skipped))), want: 2,
		},
		"no provider was asked": {
			served: failing(1, "", errorOf(codes.Unavailable, understudy.ReasonOverloaded, trailOf(skipped))), want: 2,
		},
		"RetryInfo says so": {
			served: failing(1, "", errorOf(codes.ResourceExhausted, "NEWER_REASON", retryInfo(20*time.Millisecond))), want: 2,
		},
		"twice at most": {
			served: failing(9, "10", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)), want: 3, fails: true,
		},
		"as often as a call says": {
			served:  failing(9, "10", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)),
			options: []grpc.CallOption{understudy.MaxRetries(4)}, want: 5, fails: true,
		},
		"never where a call says so": {
			served:  failing(1, "10", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)),
			options: []grpc.CallOption{understudy.MaxRetries(0)}, want: 1, fails: true,
		},
		"a pushback forbids": {
			served: failing(1, "-1", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen, retryInfo(time.Millisecond))),
			want:   1, fails: true,
		},
		"a pushback that cannot be read forbids": {
			served: failing(1, "soon", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)), want: 1, fails: true,
		},
		"a provider was asked": {
			served: failing(1, "", errorOf(codes.ResourceExhausted, understudy.ReasonAllProvidersFailed,
				retryInfo(time.Millisecond), trailOf(first))), want: 1, fails: true,
		},
		"a proxy failed, who knows where": {
			served: failing(1, "", status.Error(codes.Unavailable, "503")), want: 1, fails: true,
		},
		"the request is wrong": {
			served: failing(1, "", errorOf(codes.InvalidArgument, understudy.ReasonInvalidRequest)), want: 1, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			served := test.served.start(t, "")
			err := generate(t.Context(), client(t, served.address), test.options...)
			if calls, _, _ := served.seen(); calls != test.want || (err != nil) != test.fails {
				t.Fatalf("%d calls instead of %d, error %v", calls, test.want, err)
			}
		})
	}
}

func TestARepeatWaitsAsLongAsThePushbackSays(t *testing.T) {
	served := failing(1, "150", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen, retryInfo(time.Hour))).start(t, "")
	begun := time.Now()
	if err := generate(t.Context(), client(t, served.address)); err != nil || time.Since(begun) < 150*time.Millisecond {
		t.Fatal(err, time.Since(begun))
	}
}

func TestARepeatBehindTheDeadlineIsNotWaitedFor(t *testing.T) {
	served := failing(1, "5000", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)).start(t, "")
	begun := time.Now()
	err := generate(t.Context(), client(t, served.address), understudy.Timeout(3*time.Second))
	if failed := understudy.DecodeError(err); failed.Reason != understudy.ReasonCircuitOpen || failed.RetryAfter != 5*time.Second {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Fatalf("it took %s", took)
	}
}

func TestACancelEndsTheWaitForARepeat(t *testing.T) {
	served := failing(1, "60000", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)).start(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := generate(ctx, client(t, served.address)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestClosingTheClientEndsTheWaitForARepeat(t *testing.T) {
	absent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = absent.Close()
	served := failing(9, "20000", errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)).start(t, "")
	for name, address := range map[string]string{"told to wait": served.address, "not reached": absent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			llm := client(t, address)
			time.AfterFunc(100*time.Millisecond, func() { _ = llm.Close() })
			started := time.Now()
			_, err := llm.Generate(t.Context(), &understudy.GenerateRequest{Prompt: "hi"})
			if !errors.Is(err, context.Canceled) || time.Since(started) > 2*time.Second {
				t.Fatal(err, time.Since(started))
			}
			if calls, _, _ := served.seen(); calls > 1 {
				t.Fatalf("%d calls: a closed client repeated one", calls)
			}
		})
	}
}

func TestAGatewayThatComesUpIsFoundByARepeat(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	llm := client(t, address)
	err = generate(t.Context(), llm, understudy.MaxRetries(0))
	if failed := understudy.DecodeError(err); failed.Code != codes.Unavailable || !failed.MayRetry {
		t.Fatalf("never reached: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, func() { new(server).start(t, address) })
	if err := generate(t.Context(), llm); err != nil {
		t.Fatal(err)
	}
}

func TestACallWaitsForAGatewayWhereItIsTold(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	time.AfterFunc(200*time.Millisecond, func() { new(server).start(t, address) })
	llm := client(t, address, understudy.WithMaxRetries(0), understudy.WithWaitForReady())
	if err := generate(t.Context(), llm); err != nil {
		t.Fatal(err)
	}
}

func TestACallWhoseConnectionBreaksIsNotRepeated(t *testing.T) {
	served := &server{}
	served.generate = func(context.Context, *understudy.GenerateRequest) (*understudy.GenerateResponse, error) {
		go served.grpc.Stop()
		<-time.After(50 * time.Millisecond)
		return nil, io.ErrUnexpectedEOF
	}
	served.start(t, "")
	err := generate(t.Context(), client(t, served.address))
	if failed := understudy.DecodeError(err); failed.Code != codes.Unavailable || failed.MayRetry {
		t.Fatal(err)
	}
	if calls, _, _ := served.seen(); calls != 1 {
		t.Fatal(calls)
	}
}

func TestAStreamIsRepeatedBeforeItsFirstEventAlone(t *testing.T) {
	begun := 0
	served := (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		stream.SetTrailer(metadata.Pairs("grpc-retry-pushback-ms", "10"))
		if begun++; begun > 1 {
			_ = stream.Send(text(1, "hello"))
		}
		return errorOf(codes.Unavailable, understudy.ReasonCircuitOpen)
	}}).start(t, "")
	stream := client(t, served.address).StreamChat(t.Context(), &understudy.StreamChatRequest{})
	event, err := stream.Recv()
	if err != nil || event.GetTextDelta().GetText() != "hello" {
		t.Fatal(event, err)
	}
	if _, err := stream.Recv(); understudy.DecodeError(err).Reason != understudy.ReasonCircuitOpen {
		t.Fatal(err)
	}
	if calls, _, _ := served.seen(); calls != 2 {
		t.Fatalf("%d calls", calls)
	}
}
