// Command conformance runs the cases of the clients' conformance suite that are named as arguments, with nothing but what the
// package exports.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"understudy.internal/understudy"
)

const (
	prompt = "Say hello."
	trace  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

var cases = map[string]func(context.Context) (any, error){
	"generate":      generate,
	"chat":          chat,
	"stream":        stream,
	"health":        health,
	"list-models":   listModels,
	"health-check":  healthCheck,
	"health-watch":  healthWatch,
	"deadline":      deadline,
	"cancel":        cancelled,
	"left-loop":     leftLoop,
	"decoded-error": decodedError,
	"restarted":     restarted,
	"tls":           transportSecurity,
	"metadata":      sentMetadata,
	"large":         large,
	"streams":       streams,
	"rolling":       rolling,
	"retry-before": func(ctx context.Context) (any, error) {
		return retryWithPolicy(ctx, "UNDERSTUDY_CLOSED_ADDRESS", 5*time.Second)
	},
	"retry-after": func(ctx context.Context) (any, error) {
		return retryWithPolicy(ctx, "UNDERSTUDY_CONTACTED_ADDRESS", 5*time.Second)
	},
	"retry-late": func(ctx context.Context) (any, error) {
		return retryWithPolicy(ctx, "UNDERSTUDY_CLOSED_ADDRESS", 500*time.Millisecond)
	},
}

func main() {
	failed := false
	for _, name := range os.Args[1:] {
		detail, err := run(name)
		if err != nil {
			detail, failed = err.Error(), true
		}
		tell(map[string]any{"case": name, "ok": err == nil, "detail": detail})
	}
	if failed {
		os.Exit(1)
	}
}

func run(name string) (detail any, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	if cases[name] == nil {
		return nil, errors.New("unknown case")
	}
	return cases[name](context.Background())
}

func tell(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// with makes a client of the gateway that an environment variable names.
func with(variable string, use func(*understudy.Client) (any, error), options ...understudy.Option) (any, error) {
	client, err := understudy.New(os.Getenv(variable), options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return use(client)
}

func transportSecurity(ctx context.Context) (any, error) {
	file := func(name string) string { return filepath.Join(os.Getenv("UNDERSTUDY_TLS_FOLDER"), name) }
	call := func(certificate, key string) (any, error) {
		return with("UNDERSTUDY_TLS_ADDRESS", func(client *understudy.Client) (any, error) {
			answer, err := client.Generate(ctx, &understudy.GenerateRequest{Prompt: "Say hello."})
			return answer.GetText(), err
		}, understudy.WithTLSFiles(file("ca.crt"), certificate, key))
	}
	if text, err := call(file("caller.crt"), file("caller.key")); err != nil || text == "" {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	refused := func(why, certificate, key string) error {
		_, err := call(certificate, key)
		if failed, ok := errors.AsType[*understudy.Error](err); ok && failed.Code == codes.Unauthenticated && strings.Contains(err.Error(), why) {
			return nil
		}
		return fmt.Errorf("not %q: %w", why, err)
	}
	if err := refused("A client certificate is required.", "", ""); err != nil {
		return nil, err
	}
	if err := refused("The client certificate has expired.", file("expired.crt"), file("expired.key")); err != nil {
		return nil, err
	}
	return "TLS", nil
}

func messages(text string) []*understudy.Message {
	return []*understudy.Message{understudy.UserMessage(text)}
}

func generate(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		answer, err := client.Generate(ctx, &understudy.GenerateRequest{Prompt: prompt})
		if err != nil {
			return nil, err
		}
		return isFromMock(answer.GetText(), answer.GetProvider())
	})
}

func chat(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		answer, err := client.Chat(ctx, &understudy.ChatRequest{Messages: messages(prompt)})
		if err != nil {
			return nil, err
		}
		return isFromMock(answer.GetText(), answer.GetProvider())
	})
}

func isFromMock(text, provider string) (any, error) {
	if text == "" || provider != "mock" {
		return nil, fmt.Errorf("text is %q, provider is %q", text, provider)
	}
	return text, nil
}

func stream(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		whole, err := client.Chat(ctx, &understudy.ChatRequest{Messages: messages(prompt)})
		if err != nil {
			return nil, err
		}
		answer, err := client.StreamChat(ctx, &understudy.StreamChatRequest{Messages: messages(prompt)}).Collect()
		switch {
		case err != nil:
			return nil, err
		case answer.Text != whole.GetText():
			return nil, fmt.Errorf("text is %q instead of %q", answer.Text, whole.GetText())
		case answer.Finished.GetFinishReason() != understudy.FinishReason_FINISH_REASON_STOP:
			return nil, fmt.Errorf("finish reason is %s", answer.Finished.GetFinishReason())
		}
		return fmt.Sprintf("%d events", len(answer.Events)), nil
	})
}

func health(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		answer, err := client.Health(ctx)
		if err != nil {
			return nil, err
		}
		var targets []string
		for _, provider := range answer.GetProviders() {
			if provider.GetTarget() == "mock" {
				return provider.GetTarget(), nil
			}
			targets = append(targets, provider.GetTarget())
		}
		return nil, fmt.Errorf("targets are %q", targets)
	})
}

func listModels(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		page, err := client.ListModels(ctx, &understudy.ListModelsRequest{PageSize: 1})
		if err != nil || len(page.GetModels()) != 1 {
			return nil, fmt.Errorf("a page of 1 has %d models: %w", len(page.GetModels()), err)
		}
		var ids []string
		for model, err := range client.Models(ctx, nil) {
			if err != nil {
				return nil, err
			}
			ids = append(ids, model.GetId())
		}
		return strings.Join(ids, ","), nil
	})
}

func healthCheck(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		status, err := client.Check(ctx, "")
		return isServing(status, err)
	})
}

func healthWatch(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		for status, err := range client.Watch(ctx, "") {
			return isServing(status, err)
		}
		return nil, errors.New("the watch ended without an answer")
	})
}

func isServing(status understudy.ServingStatus, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if status != understudy.Serving {
		return nil, fmt.Errorf("status is %s", status)
	}
	return status.String(), nil
}

func deadline(ctx context.Context) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		_, err := client.Generate(ctx, &understudy.GenerateRequest{Prompt: prompt, Model: "mock-silence"})
		var failed *understudy.Error
		switch {
		case !errors.As(err, &failed):
			return nil, fmt.Errorf("the error is %w", err)
		case failed.Code != codes.DeadlineExceeded || failed.Reason != understudy.ReasonDeadline:
			return nil, err
		case len(failed.Attempts) == 0:
			return nil, errors.New("the trail is empty")
		}
		return fmt.Sprintf("%d attempts", len(failed.Attempts)), nil
	})
}

func cancelled(ctx context.Context) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return with("UNDERSTUDY_WORDS_ADDRESS", func(client *understudy.Client) (any, error) {
		seen := 0
		for event, err := range client.StreamChat(ctx, &understudy.StreamChatRequest{Messages: messages(prompt)}).Events() {
			if errors.Is(err, context.Canceled) {
				time.Sleep(3 * time.Second)
				return "cancelled", nil
			}
			if err != nil {
				return nil, err
			}
			if event.GetTextDelta() != nil {
				seen++
			}
			if seen == 3 {
				mark("cancel")
				go cancel()
			}
		}
		return nil, errors.New("the stream ended without an error")
	})
}

func leftLoop(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_WORDS_ADDRESS", func(client *understudy.Client) (any, error) {
		seen := 0
		events := client.StreamChat(ctx, &understudy.StreamChatRequest{Messages: messages(prompt)})
		for event, err := range events.Events() {
			if err != nil {
				return nil, err
			}
			if event.GetTextDelta() != nil {
				seen++
			}
			if seen == 3 {
				mark("left-loop")
				break
			}
		}
		time.Sleep(3 * time.Second)
		return "left", nil
	})
}

// mark tells the runner when a stream is left.
func mark(name string) { tell(map[string]string{"case": name, "mark": "left"}) }

func decodedError(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		_, err := client.Generate(ctx, &understudy.GenerateRequest{})
		var failed *understudy.Error
		if !errors.As(err, &failed) || failed.Code != codes.InvalidArgument ||
			len(failed.Violations) == 0 || failed.Violations[0].Field != "prompt" {
			return nil, fmt.Errorf("the error of an empty prompt is %w", err)
		}
		_, err = client.Generate(ctx, &understudy.GenerateRequest{Prompt: prompt, Model: "mock-429"})
		switch {
		case !errors.As(err, &failed):
			return nil, fmt.Errorf("the error of mock-429 is %w", err)
		case failed.Reason != understudy.ReasonAllProvidersFailed && failed.Reason != understudy.ReasonProviderRateLimited:
			return nil, err
		case len(failed.Attempts) == 0 || failed.RetryAfter <= 0 || failed.MayRetry:
			return nil, fmt.Errorf(
				"%d attempts, retry after %s, may retry: %t", len(failed.Attempts), failed.RetryAfter, failed.MayRetry,
			)
		}
		return fmt.Sprintf("%s, %d attempts, %s", failed.Reason, len(failed.Attempts), failed.RetryAfter), nil
	})
}

func restarted(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		whole, err := client.StreamChat(ctx, &understudy.StreamChatRequest{
			Messages: messages(prompt),
			Routing:  &understudy.RoutingOptions{Targets: []string{"second"}},
		}).Collect()
		if err != nil {
			return nil, err
		}
		answer, err := client.StreamChat(ctx, &understudy.StreamChatRequest{
			Messages: messages(prompt),
			Routing:  &understudy.RoutingOptions{Route: "broken"},
			Recovery: understudy.Recovery_RECOVERY_RESTART,
		}).Collect()
		switch {
		case err != nil:
			return nil, err
		case len(answer.Restarts) != 1:
			return nil, fmt.Errorf("%d restarts", len(answer.Restarts))
		case answer.Text != whole.Text:
			return nil, fmt.Errorf("text is %q instead of %q", answer.Text, whole.Text)
		}
		return answer.Restarts[0].GetTarget(), nil
	})
}

func sentMetadata(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ECHO_ADDRESS", func(client *understudy.Client) (any, error) {
		answer, err := client.Generate(
			metadata.AppendToOutgoingContext(ctx, "x-request-id", "conformance-1"),
			&understudy.GenerateRequest{Prompt: prompt},
			understudy.Traceparent(trace),
		)
		if err != nil {
			return nil, err
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(answer.GetText()), &got); err != nil {
			return nil, err
		}
		for name, want := range map[string]string{
			"authorization": "Bearer conformance-key", "x-request-id": "conformance-1", "traceparent": trace,
		} {
			if value := textOf(got[name]); value != want {
				return nil, fmt.Errorf("%s is %q in %s", name, value, answer.GetText())
			}
		}
		timeout := textOf(got["grpc-timeout"])
		told, err := time.ParseDuration(strings.NewReplacer("S", "s", "m", "ms", "u", "us", "n", "ns").Replace(timeout))
		if err != nil || told > understudy.DefaultTimeout || told < understudy.DefaultTimeout-5*time.Second {
			return nil, fmt.Errorf("grpc-timeout is %q", timeout)
		}
		return timeout, nil
	}, understudy.WithAPIKey("conformance-key"))
}

func textOf(value any) string {
	if several, ok := value.([]any); ok && len(several) > 0 {
		value = several[0]
	}
	text, _ := value.(string)
	return text
}

func large(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ECHO_ADDRESS", func(client *understudy.Client) (any, error) {
		text := strings.Repeat("0123456789abcdef", 10<<16)
		answer, err := client.Generate(ctx, &understudy.GenerateRequest{Prompt: text})
		if err != nil {
			return nil, err
		}
		if answer.GetText() != text {
			return nil, fmt.Errorf("%d bytes came back of %d", len(answer.GetText()), len(text))
		}
		return fmt.Sprintf("%d bytes", len(text)), nil
	})
}

func streams(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_ADDRESS", func(client *understudy.Client) (any, error) {
		failures := make([]error, 200)
		var all sync.WaitGroup
		for index := range failures {
			all.Go(func() {
				_, failures[index] = client.StreamChat(ctx, &understudy.StreamChatRequest{
					Messages: messages(fmt.Sprintf("%s %d", prompt, index)), Model: "mock-slow",
				}).Collect()
			})
		}
		all.Wait()
		return "200 answers", firstOf(failures)
	})
}

func rolling(ctx context.Context) (any, error) {
	return with("UNDERSTUDY_PAIR_ADDRESSES", func(client *understudy.Client) (any, error) {
		failures := make([]error, 200)
		var all sync.WaitGroup
		ticks := time.NewTicker(50 * time.Millisecond)
		defer ticks.Stop()
		for index := range failures {
			all.Go(func() { _, failures[index] = client.Generate(ctx, &understudy.GenerateRequest{Prompt: prompt}) })
			<-ticks.C
		}
		all.Wait()
		return "200 calls", firstOf(failures)
	})
}

// firstOf tells how many calls failed, and why the first did.
func firstOf(failures []error) error {
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	if len(failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d calls failed, the first: %w", len(failures), failures[0])
}

// retryWithPolicy calls as grpc-go alone does with a retry policy in its service config.
func retryWithPolicy(ctx context.Context, variable string, timeout time.Duration) (any, error) {
	const policy = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":3,"initialBackoff":"0.1s",` +
		`"maxBackoff":"1s","backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	conn, err := grpc.NewClient(os.Getenv(variable),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(policy))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	begun := time.Now()
	var trailer metadata.MD
	_, err = understudy.NewLlmServiceClient(conn).Generate(
		ctx, &understudy.GenerateRequest{Prompt: prompt}, grpc.Trailer(&trailer),
	)
	if err == nil {
		return nil, errors.New("the call did not fail")
	}
	failed := understudy.DecodeError(err, trailer)
	return map[string]any{
		"code":   codeName(failed.Code),
		"reason": failed.Reason,
		"ms":     time.Since(begun).Milliseconds(),
	}, nil
}

// codeName writes a code as gRPC does and Go does not: "DEADLINE_EXCEEDED".
func codeName(code codes.Code) string {
	var name strings.Builder
	for index, letter := range code.String() {
		if index > 0 && letter >= 'A' && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return strings.ToUpper(name.String())
}
