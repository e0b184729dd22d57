package understudy_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"understudy.internal/understudy"
)

const root = "../.."

const configuration = `
targets:
  - { name: mock, provider: mock, model: mock-ok }
  - { name: lead, provider: mock, model: mock-stream-cut }
  - { name: second, provider: mock, model: mock-ok }
routes:
  - { name: default, targets: [mock] }
  - { name: broken, targets: [lead, second] }
`

var gatewayAddress = sync.OnceValues(startGateway)

// stopGateway ends the gateway of the tests, where one runs.
var stopGateway = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopGateway()
	os.Exit(code)
}

// gateway returns the address of a real gateway, or skips the test where Node or the packages of the repository are not there.
func gateway(t *testing.T) string {
	t.Helper()
	address, err := gatewayAddress()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no real gateway: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func startGateway() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("node is not installed: %w", errors.ErrUnsupported)
	}
	if _, err := os.Stat(filepath.Join(root, "node_modules")); err != nil {
		return "", fmt.Errorf("npm ci was not run in the root: %w", errors.ErrUnsupported)
	}
	folder, err := os.MkdirTemp("", "understudy-go-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "understudy.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return "", err
	}
	process := exec.Command("node", "bin/understudy.js", "--config", file)
	process.Dir = root
	addresses := map[string]string{}
	process.Env = os.Environ()
	for _, door := range []string{"GRPC", "HTTP", "ADMIN"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addresses[door] = listener.Addr().String()
		_ = listener.Close()
		process.Env = append(process.Env, "UNDERSTUDY_"+door+"_ADDRESS="+addresses[door])
	}
	if err := process.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	stopGateway = func() {
		_ = process.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = process.Process.Kill()
		}
		_ = os.RemoveAll(folder)
	}
	for range 300 {
		select {
		case err := <-ended:
			return "", fmt.Errorf("the gateway has ended: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", addresses["GRPC"]); err == nil {
			_ = conn.Close()
			return addresses["GRPC"], nil
		}
	}
	return "", errors.New("the gateway does not listen")
}

func TestARealGatewayAnswers(t *testing.T) {
	llm := client(t, gateway(t))
	messages := []*understudy.Message{understudy.UserMessage("Say hello.")}
	whole, err := llm.Chat(t.Context(), &understudy.ChatRequest{Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := llm.StreamChat(t.Context(), &understudy.StreamChatRequest{Messages: messages}).Collect()
	if err != nil || streamed.Text != whole.GetText() || streamed.Text == "" || streamed.Started.GetTarget() != "mock" {
		t.Fatal(streamed, err)
	}
	again, err := llm.StreamChat(t.Context(), &understudy.StreamChatRequest{
		Messages: messages,
		Routing:  &understudy.RoutingOptions{Route: "broken"},
		Recovery: understudy.Recovery_RECOVERY_RESTART,
	}).Collect()
	if err != nil || again.Text != whole.GetText() || len(again.Restarts) != 1 {
		t.Fatal(again, err)
	}
	if found, err := llm.Health(t.Context()); err != nil || len(found.GetProviders()) != 3 {
		t.Fatal(found, err)
	}
	if found, err := llm.Check(t.Context(), "understudy.v1.LlmService"); err != nil || found != understudy.Serving {
		t.Fatal(found, err)
	}
}

func TestARealGatewaysErrors(t *testing.T) {
	llm := client(t, gateway(t))
	ask := func(model string, options ...grpc.CallOption) *understudy.Error {
		_, err := llm.Generate(t.Context(), &understudy.GenerateRequest{Prompt: "Say hello.", Model: model}, options...)
		return understudy.DecodeError(err)
	}
	_, err := llm.Generate(t.Context(), nil, understudy.RequestID("id-1"))
	if failed := understudy.DecodeError(err); failed.Code != codes.InvalidArgument || failed.Violations[0].Field != "prompt" || failed.RequestID != "id-1" {
		t.Error(err)
	}
	if failed := ask("mock-silence", understudy.Timeout(time.Second)); failed.Reason != understudy.ReasonDeadline || len(failed.Attempts) == 0 {
		t.Error(failed)
	}
	if failed := ask("mock-429"); failed.Code != codes.ResourceExhausted || failed.MayRetry || len(failed.Attempts) == 0 {
		t.Error(failed)
	}
}

// TestTheREADME runs its program and its snippets as they stand.
func TestTheREADME(t *testing.T) {
	address := gateway(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := []string{`package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"understudy.internal/understudy"
)

var _ = errors.As
var _ time.Duration

func main() {
	client, err := understudy.New("127.0.0.1:50051")
	if err != nil {
		panic(err)
	}
	for _, run := range []func(context.Context, *understudy.Client) error{`}
	for _, found := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		if strings.HasPrefix(found[1], "package ") {
			runProgram(t, strings.ReplaceAll(found[1], "127.0.0.1:50051", address), "mock 0.0001")
			continue
		}
		end := "\nreturn nil\n},"
		if strings.Contains(found[1], "err = client.Chat(ctx, request)") {
			end = "\nfmt.Println(answer.GetText())\nreturn err\n},"
		}
		snippets = append(snippets, "func(ctx context.Context, client *understudy.Client) error {\n"+found[1]+end)
	}
	if len(snippets) != 5 {
		t.Fatalf("%d snippets", len(snippets))
	}
	snippets = append(snippets, "} {\nif err := run(context.Background(), client); err != nil { panic(err) }\n}\nfmt.Println(\"all ran\")\n}\n")
	runProgram(t, strings.ReplaceAll(strings.Join(snippets, "\n"), "127.0.0.1:50051", address), "Unavailable", "all ran")
}

func runProgram(t *testing.T, program string, wants ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput()
	for _, want := range wants {
		if err != nil || !strings.Contains(string(output), want) {
			t.Fatalf("%v, without %q:\n%s", err, want, output)
		}
	}
}
