package understudy_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"understudy.internal/understudy"
)

// soon is the time within which an abort must be seen at the server. It is a matter of milliseconds.
const soon = 2 * time.Second

// endless sends a word every 5 ms until it is aborted, and tells when.
func endless(t *testing.T) (*server, <-chan error) {
	ended := make(chan error, 1000)
	served := &server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		for sequence := int64(1); ; sequence++ {
			select {
			case <-stream.Context().Done():
				ended <- stream.Context().Err()
				return stream.Context().Err()
			case <-time.After(5 * time.Millisecond):
				if err := stream.Send(text(sequence, "word ")); err != nil {
					<-stream.Context().Done()
					ended <- stream.Context().Err()
					return err
				}
			}
		}
	}}
	return served.start(t, ""), ended
}

// saying sends events, and then an error.
func saying(t *testing.T, err error, events ...*understudy.StreamChatResponse) *server {
	return (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		for _, event := range events {
			if err := stream.Send(event); err != nil {
				return err
			}
		}
		return err
	}}).start(t, "")
}

func chat(t *testing.T, served *server) *understudy.ChatStream {
	t.Helper()
	return client(t, served.address).StreamChat(t.Context(), &understudy.StreamChatRequest{})
}

func TestEveryWayOutOfALoopAbortsTheCall(t *testing.T) {
	for name, leave := range map[string]func(*understudy.ChatStream){
		"break": func(stream *understudy.ChatStream) {
			for range stream.Events() {
				break
			}
		},
		"return": func(stream *understudy.ChatStream) {
			for range stream.Events() {
				return
			}
		},
		"panic": func(stream *understudy.ChatStream) {
			defer func() { _ = recover() }()
			for range stream.Events() {
				panic("in the loop")
			}
		},
		"Goexit": func(stream *understudy.ChatStream) {
			var all sync.WaitGroup
			all.Go(func() {
				for range stream.Events() {
					runtime.Goexit()
				}
			})
			all.Wait()
		},
		"Close in the loop": func(stream *understudy.ChatStream) {
			for _, err := range stream.Events() {
				_ = stream.Close()
				if err != nil {
					break
				}
			}
		},
		"Recv and Close": func(stream *understudy.ChatStream) {
			_, _ = stream.Recv()
			_ = stream.Close()
		},
		"a function for Collect that panics": func(stream *understudy.ChatStream) {
			defer func() { _ = recover() }()
			_, _ = stream.Collect(func(*understudy.StreamChatResponse) { panic("on an event") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			served, ended := endless(t)
			stream := chat(t, served)
			leave(stream)
			within(t, "the abort", soon, ended)
			if _, err := stream.Recv(); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		})
	}
}

func TestACancelledContextAbortsTheCall(t *testing.T) {
	served, ended := endless(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := client(t, served.address).StreamChat(ctx, &understudy.StreamChatRequest{})
	seen := 0
	for _, err := range stream.Events() {
		if seen++; seen == 3 {
			cancel()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	within(t, "the abort", soon, ended)
}

func TestCloseFromAnotherGoroutineEndsARecvThatWaits(t *testing.T) {
	served := (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		<-stream.Context().Done()
		return nil
	}}).start(t, "")
	stream := chat(t, served)
	time.AfterFunc(50*time.Millisecond, func() { _ = stream.Close() })
	if _, err := stream.Recv(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestAStreamThatIsDroppedIsAborted(t *testing.T) {
	served, ended := endless(t)
	llm := client(t, served.address)
	func() {
		_, err := llm.StreamChat(t.Context(), &understudy.StreamChatRequest{}).Recv()
		if err != nil {
			t.Fatal(err)
		}
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatal("it goes on")
}

func TestACallStartsWithTheFirstRead(t *testing.T) {
	served, _ := endless(t)
	stream := chat(t, served)
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range stream.Events() {
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if calls, _, _ := served.seen(); calls != 0 {
		t.Fatal("a stream that nobody read has called")
	}
}

func TestStreamsHaveADeadline(t *testing.T) {
	served := saying(t, nil, finished(1))
	if _, err := chat(t, served).Collect(); err != nil {
		t.Fatal(err)
	}
	if _, _, until := served.seen(); until > 600*time.Second || until < 595*time.Second {
		t.Fatal(until)
	}
	silent, _ := endless(t)
	stream := client(t, silent.address).StreamChat(t.Context(), &understudy.StreamChatRequest{}, understudy.Timeout(200*time.Millisecond))
	if _, err := stream.Collect(); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestOnlyFinishedMeansComplete(t *testing.T) {
	stream := chat(t, saying(t, nil, text(1, "half a ")))
	words := ""
	var failed *understudy.Error
	for event, err := range stream.Events() {
		words += event.GetTextDelta().GetText()
		errors.As(err, &failed)
	}
	if words != "half a " || failed == nil || failed.Code != codes.Aborted || failed.Reason != understudy.ReasonStreamInterrupted {
		t.Fatal(words, failed)
	}
	if failed.MayRetry || failed.Domain != understudy.ErrorDomain {
		t.Fatal(failed)
	}
	if _, err := stream.Recv(); !errors.As(err, &failed) || failed.Reason != understudy.ReasonStreamInterrupted {
		t.Fatalf("the next read says %v", err)
	}
	if _, err := chat(t, saying(t, nil)).Recv(); understudy.DecodeError(err).Reason != understudy.ReasonStreamInterrupted {
		t.Fatalf("a stream of nothing says %v", err)
	}
}

func TestAnErrorInAStreamIsTheGateways(t *testing.T) {
	served := saying(t, errorOf(codes.Aborted, understudy.ReasonStreamInterrupted, trailOf(first)), text(1, "half a "))
	if _, err := chat(t, served).Collect(); len(understudy.DecodeError(err).Attempts) != 1 {
		t.Fatal(err)
	}
}

func TestTheEndOfAStream(t *testing.T) {
	stream := chat(t, saying(t, nil, text(1, "hello"), finished(2)))
	for range 2 {
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if event, err := stream.Recv(); event != nil || err != io.EOF {
			t.Fatal(event, err)
		}
	}
	for event, err := range stream.Events() {
		t.Fatal(event, err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLeavingBehindFinishedAbortsNothing(t *testing.T) {
	ended := make(chan error, 1)
	served := (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		_ = stream.Send(finished(1))
		// The status is sent a little later than the answer.
		select {
		case <-stream.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
		ended <- stream.Context().Err()
		return nil
	}}).start(t, "")
	for event, err := range chat(t, served).Events() {
		if event.GetFinished() != nil || err != nil {
			break
		}
	}
	if err := within(t, "the end", soon, ended); err != nil {
		t.Fatal("the call was aborted")
	}
}

func TestAnAnswerIsCompleteWhereOnlyTheStatusIsLost(t *testing.T) {
	served := (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		_ = stream.Send(text(1, "hello"))
		_ = stream.Send(finished(2))
		<-stream.Context().Done()
		return nil
	}}).start(t, "")
	begun := time.Now()
	answer, err := chat(t, served).Collect()
	if err != nil || answer.Text != "hello" || time.Since(begun) > 3*time.Second {
		t.Fatal(answer, err, time.Since(begun))
	}
}

func TestTwoReadersAtATimeAreTold(t *testing.T) {
	served := (&server{chat: func(stream grpc.ServerStreamingServer[understudy.StreamChatResponse]) error {
		<-stream.Context().Done()
		return nil
	}}).start(t, "")
	stream := chat(t, served)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := stream.Recv()
			results <- err
		}()
	}
	if err := within(t, "the second reader", soon, results); err == nil || errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_ = stream.Close()
	if err := within(t, "the first reader", soon, results); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestStreamsLeaveNothingBehind(t *testing.T) {
	served, _ := endless(t)
	llm := client(t, served.address)
	leave := func() {
		for _, err := range llm.StreamChat(t.Context(), &understudy.StreamChatRequest{}).Events() {
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
	leave()
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for range 300 {
		all.Go(leave)
	}
	all.Wait()
	for range 200 {
		if runtime.NumGoroutine() <= before+5 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d goroutines instead of %d", runtime.NumGoroutine(), before)
}

func TestTwoHundredStreamsAtOnce(t *testing.T) {
	served := saying(t, nil, text(1, "hello"), finished(2))
	llm := client(t, served.address)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if answer, err := llm.StreamChat(t.Context(), &understudy.StreamChatRequest{}).Collect(); err != nil || answer.Text != "hello" {
				t.Error(answer, err)
			}
		})
	}
	all.Wait()
}
