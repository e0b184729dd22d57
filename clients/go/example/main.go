// Command example streams an answer to the terminal, and says what it cost:
//
//	go run ./example 127.0.0.1:50051 "Tell me a story."
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"understudy.internal/understudy"
)

func main() {
	address, prompt := "127.0.0.1:50051", "Say hello."
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if len(os.Args) > 2 {
		prompt = os.Args[2]
	}
	// Ctrl-C cancels the call, and with it the provider's.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, address, prompt); err != nil {
		tell(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, prompt string) error {
	client, err := understudy.New(address)
	if err != nil {
		return err
	}
	defer client.Close()
	stream := client.StreamChat(ctx, &understudy.StreamChatRequest{
		Messages: []*understudy.Message{understudy.SystemMessage("Be brief."), understudy.UserMessage(prompt)},
	})
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		fmt.Print(event.GetTextDelta().GetText())
		if finished := event.GetFinished(); finished != nil {
			fmt.Printf("\n\n%s, model %s; ", finished.GetProvider(), finished.GetModel())
			fmt.Printf("tokens: %s; USD: %s\n", known(finished.TokensUsed), known(finished.CostUsd))
		}
	}
	return nil
}

// known tells a number, or that it is not known: that is never 0.
func known[Number any](value *Number) string {
	if value == nil {
		return "unknown"
	}
	return fmt.Sprint(*value)
}

func tell(err error) {
	fmt.Fprintln(os.Stderr, err)
	var failed *understudy.Error
	if !errors.As(err, &failed) {
		return
	}
	for _, attempt := range failed.Attempts {
		fmt.Fprintf(os.Stderr, "  %s: %s after %.0f ms\n", attempt.GetTarget(), attempt.GetOutcome(), attempt.GetDurationMs())
	}
	if failed.MayRetry {
		fmt.Fprintf(os.Stderr, "  may be repeated after %s: no provider was asked\n", failed.RetryAfter)
	}
}
