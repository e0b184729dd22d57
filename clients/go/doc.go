// Package understudy calls Understudy, the LLM provider gateway, over native gRPC.
//
//	client, err := understudy.New("127.0.0.1:50051")
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	answer, err := client.Generate(ctx, &understudy.GenerateRequest{Prompt: "Say hello."})
//
// A [Client] has every call of the gateway. It brings the settings that gRPC leaves out: deadlines per method, 20 MiB to
// receive, keepalive, round robin over several gateways with health checks, API keys, and repeats where they cannot bill twice.
//
// A [ChatStream] is read with range. Leaving the loop aborts the call, and with it the provider's, at once. Only the event
// finished means that an answer is complete: a stream that ends without it is an error.
//
// Every error of a call is an [*Error]: it says why, which fields are wrong, what was tried, and whether a repeat is safe.
//
// The types of the contract, such as [ChatRequest], are generated from the protos and are in this package too.
package understudy

// Version is the version of this client, as its user agent tells it.
const Version = "0.1.0"
