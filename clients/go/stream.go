package understudy

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// linger is how long a stream whose answer is complete may take to end by itself. A reset would count as a cancelled call.
const linger = time.Second

// reader reads one server stream, once, and ends its call with it.
type reader[Message any] struct {
	client *Client
	parent context.Context
	call   *call
	open   func(context.Context, ...grpc.CallOption) (grpc.ServerStreamingClient[Message], error)
	// isLast tells whether the answer is complete with a message. nil for streams that any end completes.
	isLast func(*Message) bool

	mu        sync.Mutex
	ctx       context.Context
	cancel    context.CancelFunc
	stream    grpc.ServerStreamingClient[Message]
	isReading bool
	isClosed  bool
	isWhole   bool
	end       error
}

// recv returns the next message, io.EOF behind the last one, or an *Error.
func (r *reader[Message]) recv() (*Message, error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	message, err := r.read()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isReading = false
	if err == nil {
		if r.isLast != nil && r.isLast(message) {
			r.isWhole = true
			time.AfterFunc(linger, r.cancel)
		}
		if r.isClosed {
			r.leave()
		}
		return message, nil
	}
	switch {
	case r.isWhole:
		err = io.EOF
	case r.isClosed:
		err = closedError("the stream was closed")
	}
	r.end = err
	r.cancel()
	return nil, err
}

// begin takes the turn of a read; the first one starts the clock of the call.
func (r *reader[Message]) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.end != nil:
		return r.end
	case r.isReading:
		return errors.New("understudy: a stream has one reader at a time")
	case r.isClosed:
		r.end = closedError("the stream was closed")
		return r.end
	}
	if r.ctx == nil {
		r.ctx, r.cancel = r.call.start(r.parent, r.client.settings.metadata)
	}
	r.isReading = true
	return nil
}

// read reads from the call. Until its first message the call may be repeated.
func (r *reader[Message]) read() (*Message, error) {
	if r.stream != nil {
		message, err := r.stream.Recv()
		if err == nil {
			return message, nil
		}
		return nil, r.failure(r.stream, err, false)
	}
	for {
		var sent reach
		stream, err := r.open(sent.in(r.ctx), r.call.options...)
		if err == nil {
			message, received := stream.Recv()
			if received == nil {
				r.mu.Lock()
				r.stream = stream
				r.mu.Unlock()
				return message, nil
			}
			err = received
		}
		failed := r.failure(stream, err, !sent.wasSent.Load())
		var decoded *Error
		if !errors.As(failed, &decoded) {
			return nil, failed
		}
		if decoded := r.call.mayRepeat(r.ctx, r.client, decoded); decoded != nil {
			return nil, decoded
		}
	}
}

// failure makes what the end of a stream means.
func (r *reader[Message]) failure(stream grpc.ServerStreamingClient[Message], err error, wasUnsent bool) error {
	if errors.Is(err, io.EOF) {
		if r.isLast != nil && !r.isWhole {
			return interruptedError()
		}
		return io.EOF
	}
	var header, trailer metadata.MD
	if stream != nil {
		header, _ = stream.Header()
		trailer = stream.Trailer()
	}
	return decode(err, header, trailer, wasUnsent)
}

// close aborts the call, unless its answer is complete: then it ends by itself, or after a second. Any goroutine may call it.
func (r *reader[Message]) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isClosed {
		return
	}
	r.isClosed = true
	if r.ctx != nil && r.end == nil {
		r.leave()
	}
}

func (r *reader[Message]) leave() {
	if !r.isWhole {
		r.cancel()
		return
	}
	if r.isReading {
		return
	}
	r.isReading = true
	stream, cancel := r.stream, r.cancel
	go func() {
		defer cancel()
		for {
			if _, err := stream.Recv(); err != nil {
				return
			}
		}
	}()
	r.end = io.EOF
}

// all reads to the end; leaving the loop closes the stream.
func (r *reader[Message]) all(yield func(*Message, error) bool) {
	defer r.close()
	for {
		message, err := r.recv()
		if err == io.EOF {
			return
		}
		if !yield(message, err) || err != nil {
			return
		}
	}
}

// ChatStream has the events of one StreamChat call, to be read once, by one goroutine at a time. The call, and the clock of its
// deadline, starts with the first read.
//
// Read it with range over [ChatStream.Events], which aborts the call when the loop is left, or with [ChatStream.Recv] and
// [ChatStream.Close], or whole with [ChatStream.Collect].
type ChatStream struct {
	reader *reader[StreamChatResponse]
}

func newChatStream(ctx context.Context, client *Client, made *call, request *StreamChatRequest) *ChatStream {
	inner := &reader[StreamChatResponse]{
		client: client,
		parent: ctx,
		call:   made,
		open: func(ctx context.Context, options ...grpc.CallOption) (grpc.ServerStreamingClient[StreamChatResponse], error) {
			return client.llm.StreamChat(ctx, request, options...)
		},
		isLast: func(event *StreamChatResponse) bool { return event.GetFinished() != nil },
	}
	stream := &ChatStream{reader: inner}
	// A stream that is dropped without Close would go on until its deadline.
	runtime.AddCleanup(stream, func(inner *reader[StreamChatResponse]) { inner.close() }, inner)
	return stream
}

// Events has the events in their order:
//
//	for event, err := range stream.Events() {
//		if err != nil {
//			return err
//		}
//		fmt.Print(event.GetTextDelta().GetText())
//	}
//
// Leaving the loop early (break, return, a panic) aborts the call, and with it the provider's, at once. An error is the last
// that comes, an [*Error]; a stream that ends without finished has [ReasonStreamInterrupted]. Ignore events that you do not
// know. A second loop goes on where a first one ended: it has nothing, or the same error, or Canceled behind one that was left.
func (s *ChatStream) Events() iter.Seq2[*StreamChatResponse, error] {
	return func(yield func(*StreamChatResponse, error) bool) {
		s.reader.all(yield)
		runtime.KeepAlive(s)
	}
}

// Recv returns the next event, [io.EOF] behind finished, or an [*Error]; a stream that ends without finished has
// [ReasonStreamInterrupted]. Close the stream where you do not read to its end.
func (s *ChatStream) Recv() (*StreamChatResponse, error) {
	event, err := s.reader.recv()
	runtime.KeepAlive(s)
	return event, err
}

// Close aborts the call, and with it the provider's, at once. A Recv that waits, and each further one, fails with Canceled. It
// does nothing once the stream has ended; behind finished it aborts nothing. Any goroutine may close a stream, at any time and
// more than once. The error is always nil.
func (s *ChatStream) Close() error {
	s.reader.close()
	return nil
}
