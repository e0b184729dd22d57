package understudy_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"understudy.internal/understudy"
)

func TestCallsTellDeadlinesOfTheirMethods(t *testing.T) {
	served := new(server).start(t, "")
	llm := client(t, served.address, understudy.WithTimeouts(understudy.Timeouts{Chat: time.Hour, ListModels: -1}))
	ctx := t.Context()
	longer, cancel := context.WithTimeout(ctx, 7*time.Minute)
	defer cancel()
	for name, test := range map[string]struct {
		call func() error
		want time.Duration
	}{
		"Generate has 120 s":                 {func() error { return generate(ctx, llm) }, 120 * time.Second},
		"Chat has what the client says":      {func() error { _, err := llm.Chat(ctx, &understudy.ChatRequest{}); return err }, time.Hour},
		"Health has 5 s":                     {func() error { _, err := llm.Health(ctx); return err }, 5 * time.Second},
		"less than 0 is none":                {func() error { _, err := llm.ListModels(ctx, nil); return err }, 0},
		"a context's deadline counts":        {func() error { return generate(longer, llm) }, 7 * time.Minute},
		"Timeout counts":                     {func() error { return generate(ctx, llm, understudy.Timeout(3*time.Second)) }, 3 * time.Second},
		"the earlier of both counts":         {func() error { return generate(longer, llm, understudy.Timeout(time.Hour)) }, 7 * time.Minute},
		"Timeout of 0 sends none":            {func() error { return generate(ctx, llm, understudy.Timeout(0)) }, 0},
		"Timeout of 0 keeps the context's":   {func() error { return generate(longer, llm, understudy.Timeout(0)) }, 7 * time.Minute},
		"a repeated option: the last counts": {func() error { return generate(ctx, llm, understudy.Timeout(9), understudy.Timeout(time.Minute)) }, time.Minute},
	} {
		if err := test.call(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, _, got := served.seen(); got > test.want || got < test.want-5*time.Second {
			t.Errorf("%s: the server was told %s instead of %s", name, got, test.want)
		}
	}
}

func generate(ctx context.Context, llm *understudy.Client, options ...grpc.CallOption) error {
	_, err := llm.Generate(ctx, &understudy.GenerateRequest{Prompt: "Say hello."}, options...)
	return err
}

func TestCallsSendMetadata(t *testing.T) {
	served := new(server).start(t, "")
	llm := client(t, served.address, understudy.WithAPIKey("secret"), understudy.WithMetadata("X-Team", "search", "x-other", "client"))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-other", "call", "tracestate", "a=b")
	if err := generate(ctx, llm, understudy.RequestID("id-1"), understudy.Traceparent("00-1-2-01")); err != nil {
		t.Fatal(err)
	}
	_, got, _ := served.seen()
	for name, want := range map[string]string{
		"authorization": "Bearer secret",
		"x-team":        "search",
		"x-other":       "call",
		"tracestate":    "a=b",
		"x-request-id":  "id-1",
		"traceparent":   "00-1-2-01",
	} {
		if values := got.Get(name); len(values) != 1 || values[0] != want {
			t.Errorf("%s is %q instead of %q", name, values, want)
		}
	}
	if agent := strings.Join(got.Get("user-agent"), ""); !strings.HasPrefix(agent, "understudy-go/"+understudy.Version+" ") {
		t.Errorf("the user agent is %q", agent)
	}
}

func TestAuthorizationOfACallWinsOverTheAPIKey(t *testing.T) {
	served := new(server).start(t, "")
	llm := client(t, served.address, understudy.WithAPIKey("secret"))
	if err := generate(metadata.AppendToOutgoingContext(t.Context(), "Authorization", "Bearer own"), llm); err != nil {
		t.Fatal(err)
	}
	if _, got, _ := served.seen(); !slices.Equal(got.Get("authorization"), []string{"Bearer own"}) {
		t.Fatal(got)
	}
}

func TestOptionsOfGRPCGoWithCalls(t *testing.T) {
	served := (&server{generate: func(ctx context.Context, _ *understudy.GenerateRequest) (*understudy.GenerateResponse, error) {
		return &understudy.GenerateResponse{}, grpc.SetTrailer(ctx, metadata.Pairs("x-told", "1"))
	}}).start(t, "")
	var trailer metadata.MD
	if err := generate(t.Context(), client(t, served.address), grpc.Trailer(&trailer)); err != nil || len(trailer.Get("x-told")) != 1 {
		t.Fatal(err, trailer)
	}
}

func TestTheAPIKeyIsAskedForAtEachCall(t *testing.T) {
	served := new(server).start(t, "")
	key, failure := "first", error(nil)
	llm := client(t, served.address, understudy.WithAPIKeyFunc(func(context.Context) (string, error) { return key, failure }))
	for _, key = range []string{"first", "second"} {
		if err := generate(t.Context(), llm); err != nil {
			t.Fatal(err)
		}
		if _, got, _ := served.seen(); got.Get("authorization")[0] != "Bearer "+key {
			t.Fatal(got)
		}
	}
	calls, _, _ := served.seen()
	for _, bad := range []string{"", "two words", "line\n"} {
		key = bad
		if err := generate(t.Context(), llm); understudy.DecodeError(err).Code != codes.Unauthenticated {
			t.Errorf("%q: %v", bad, err)
		}
	}
	failure = errors.New("no vault")
	if err := generate(t.Context(), llm); understudy.DecodeError(err).Code != codes.Unauthenticated || !strings.Contains(err.Error(), "no vault") {
		t.Error(err)
	}
	if after, _, _ := served.seen(); after != calls {
		t.Error("calls without a key were sent")
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, make := range map[string]func() (*understudy.Client, error){
		"no address": func() (*understudy.Client, error) { return understudy.New("") },
		"a key over plaintext": func() (*understudy.Client, error) {
			return understudy.New("llm.example:1", understudy.WithAPIKey("key"))
		},
		"a key with a line end": func() (*understudy.Client, error) {
			return understudy.New("127.0.0.1:1", understudy.WithAPIKey("secret\n"))
		},
		"an empty key": func() (*understudy.Client, error) { return understudy.New("127.0.0.1:1", understudy.WithAPIKey("")) },
		"TLS and http": func() (*understudy.Client, error) {
			return understudy.New("http://127.0.0.1:1", understudy.WithTLS(nil))
		},
		"a certificate without key": func() (*understudy.Client, error) {
			return understudy.New("127.0.0.1:1", understudy.WithTLSFiles("", "a", ""))
		},
		"retries below 0": func() (*understudy.Client, error) {
			return understudy.New("127.0.0.1:1", understudy.WithMaxRetries(-1))
		},
		"metadata without a value": func() (*understudy.Client, error) {
			return understudy.New("127.0.0.1:1", understudy.WithMetadata("name"))
		},
	} {
		if made, err := make(); err == nil {
			_ = made.Close()
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
	for _, address := range []string{"127.0.0.1:1", "localhost:1", "[::1]:1", "unix:///tmp/x", "dns:///localhost:1", "https://llm.example"} {
		client(t, address, understudy.WithAPIKey("key"))
	}
	client(t, "llm.example:1", understudy.WithAPIKey("key"), understudy.WithAPIKeyWithoutTLS())
}

func TestMessagesOfTenMiBGoBothWays(t *testing.T) {
	served := (&server{generate: func(_ context.Context, request *understudy.GenerateRequest) (*understudy.GenerateResponse, error) {
		return &understudy.GenerateResponse{Text: request.GetPrompt()}, nil
	}}).start(t, "")
	prompt := strings.Repeat("0123456789abcdef", 10<<16)
	answer, err := client(t, served.address).Generate(t.Context(), &understudy.GenerateRequest{Prompt: prompt})
	if err != nil || answer.GetText() != prompt {
		t.Fatal(err)
	}
}

func TestModelsReadsAllPages(t *testing.T) {
	served := (&server{models: func(request *understudy.ListModelsRequest) (*understudy.ListModelsResponse, error) {
		if request.GetTarget() != "lead" {
			return nil, errors.New("the target is lost")
		}
		if request.GetPageToken() == "" {
			return &understudy.ListModelsResponse{Models: []*understudy.Model{{Id: "a"}, {Id: "b"}}, NextPageToken: "2"}, nil
		}
		return &understudy.ListModelsResponse{Models: []*understudy.Model{{Id: "c"}}}, nil
	}}).start(t, "")
	request := &understudy.ListModelsRequest{Target: "lead"}
	var ids string
	for model, err := range client(t, served.address).Models(t.Context(), request) {
		if err != nil {
			t.Fatal(err)
		}
		ids += model.GetId()
	}
	if ids != "abc" || request.GetPageToken() != "" {
		t.Fatal(ids, request)
	}
}

func TestCheckAndWatchTellHealth(t *testing.T) {
	served := new(server).start(t, "")
	llm := client(t, served.address)
	if found, err := llm.Check(t.Context(), ""); err != nil || found != understudy.Serving {
		t.Fatal(found, err)
	}
	if _, err := llm.Check(t.Context(), "nobody"); understudy.DecodeError(err).Code != codes.NotFound {
		t.Fatal(err)
	}
	for found, err := range llm.Watch(t.Context(), "nobody") {
		if err != nil || found != understudy.ServiceUnknown {
			t.Fatal(found, err)
		}
		break
	}
	served.health.SetServingStatus("one", understudy.Serving)
	var all []understudy.ServingStatus
	for found, err := range llm.Watch(t.Context(), "one") {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, found); len(all) == 2 {
			break
		}
		served.health.SetServingStatus("one", understudy.NotServing)
	}
	if all[0] != understudy.Serving || all[1] != understudy.NotServing {
		t.Fatal(all)
	}
}

func TestAClosedClientFailsWithCanceled(t *testing.T) {
	served := new(server).start(t, "")
	llm := client(t, served.address)
	if err := errors.Join(llm.Close(), llm.Close()); err != nil {
		t.Fatal(err)
	}
	if err := generate(t.Context(), llm); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := llm.StreamChat(t.Context(), &understudy.StreamChatRequest{}).Recv(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestTheServiceConfigIsThatOfAllClients(t *testing.T) {
	shared, err := os.ReadFile("../service-config.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this folder is not in the repository")
	}
	var want, got any
	if err := errors.Join(err, json.Unmarshal(shared, &want), json.Unmarshal([]byte(understudy.ServiceConfig), &got)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s instead of %s", understudy.ServiceConfig, shared)
	}
}
