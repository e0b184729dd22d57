package understudy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"understudy.internal/understudy"
)

func ExampleNew() {
	client, err := understudy.New(
		"https://llm-1.example:443,https://llm-2.example:443",
		understudy.WithAPIKey("key"),
		understudy.WithTimeouts(understudy.Timeouts{Generate: 20 * time.Second}),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
}

func ExampleNew_mutualTLS() {
	client, err := understudy.New(
		"https://llm.example",
		understudy.WithTLSFiles("/etc/llm/ca.pem", "/etc/llm/cert.pem", "/etc/llm/key.pem"),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
}

func ExampleClient_Generate() {
	client, err := understudy.New("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Generate(context.Background(), &understudy.GenerateRequest{
		Prompt:  "Say hello.",
		Options: &understudy.GenerationOptions{MaxTokens: new(int32(100))},
	}, understudy.Timeout(10*time.Second), understudy.RequestID("order-4711"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.GetText(), answer.GetProvider())
}

func ExampleClient_Chat_tools() {
	client, err := understudy.New("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	request := &understudy.ChatRequest{
		Messages: []*understudy.Message{understudy.UserMessage("Weather in Rome?")},
		Tools: []*understudy.Tool{understudy.NewFunctionTool(
			"weather", "Tells the weather.", `{"type":"object","properties":{"city":{"type":"string"}}}`,
		)},
	}
	for {
		answer, err := client.Chat(context.Background(), request)
		if err != nil {
			log.Fatal(err)
		}
		calls := understudy.ToolCalls(answer.GetMessage())
		if len(calls) == 0 {
			fmt.Println(answer.GetText())
			return
		}
		request.Messages = append(request.Messages, answer.GetMessage())
		for _, call := range calls {
			request.Messages = append(request.Messages, understudy.ToolMessage(call, "Sunny."))
		}
	}
}

func ExampleChatStream_Events() {
	client, err := understudy.New("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	stream := client.StreamChat(context.Background(), &understudy.StreamChatRequest{
		Messages: []*understudy.Message{understudy.UserMessage("Tell me a story.")},
	})
	length := 0
	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		words := event.GetTextDelta().GetText()
		fmt.Print(words)
		if length += len(words); length > 1000 {
			break // The provider stops writing.
		}
	}
}

func ExampleChatStream_Collect() {
	client, err := understudy.New("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := client.StreamChat(context.Background(), &understudy.StreamChatRequest{
		Messages: []*understudy.Message{understudy.UserMessage("Tell me a story.")},
		Recovery: understudy.Recovery_RECOVERY_RESTART,
	}).Collect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text, len(answer.Restarts), answer.Finished.GetCostUsd())
}

func ExampleAccumulator() {
	events := []*understudy.StreamChatResponse{
		text(1, "Once upon a "),
		restarted(2, 1),
		text(3, "There was a king."),
		finished(4),
	}
	var accumulator understudy.Accumulator
	for _, event := range events {
		accumulator.Add(event)
	}
	answer, err := accumulator.Answer()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text, len(answer.Restarts))
	// Output: There was a king. 1
}

func ExampleError() {
	err := fmt.Errorf("while greeting: %w", understudy.DecodeError(wrong()))
	var failed *understudy.Error
	if errors.As(err, &failed) && failed.Reason == understudy.ReasonInvalidRequest {
		fmt.Println(failed.Code, failed.Violations[0].Field, failed.MayRetry)
	}
	// Output: InvalidArgument prompt false
}

func ExampleDecodeError() {
	// As a bare stub of gRPC returns it.
	made, err := status.New(codes.Unavailable, "no target is available").WithDetails(
		&errdetails.ErrorInfo{Domain: understudy.ErrorDomain, Reason: string(understudy.ReasonCircuitOpen)},
	)
	if err != nil {
		log.Fatal(err)
	}
	failed := understudy.DecodeError(made.Err())
	fmt.Println(failed)
	fmt.Println(failed.MayRetry)
	// Output:
	// understudy: Unavailable: no target is available (CIRCUIT_OPEN)
	// true
}
