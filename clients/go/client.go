package understudy

import (
	"context"
	"crypto/tls"
	"errors"
	"iter"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // Watches the health of gateways, as the service config asks.
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Client calls a gateway, or several that stand for each other. Make one for the whole program and share it: it is safe for
// concurrent use.
//
// Calls take options of this package ([Timeout], [RequestID], [Traceparent], [MaxRetries]) and those of gRPC, and send the
// outgoing metadata of their context. Cancelling the context aborts the provider's call as well. Every error of a call is an
// [*Error].
//
// A call is repeated, twice by default, only where that cannot bill twice ([Error].MayRetry), after the wait that the gateway
// asks for, and never beyond its deadline.
type Client struct {
	conn *grpc.ClientConn
	// probe asks for the health of gateways that do not serve too; conn keeps calls away from these. It connects when it is used.
	probe    *grpc.ClientConn
	llm      LlmServiceClient
	health   healthpb.HealthClient
	settings settings
	// closed ends waits for repeats.
	closed    chan struct{}
	closeOnce sync.Once
}

// New makes a client. An address is "host:port" (plaintext, or TLS with [WithTLS]), "http://host:port", "https://host:port", or
// a name of gRPC such as "dns:///host:port" or "unix:///path". Several, with commas between, take turns; those that cannot be
// reached, or do not serve, are left out. A name with several addresses is balanced too.
//
// It connects with the first call, and again after a loss. The error is about the address or an option; nothing is sent yet.
func New(address string, options ...Option) (*Client, error) {
	made := settings{maxRetries: DefaultMaxRetries}
	for _, option := range options {
		if err := option(&made); err != nil {
			return nil, err
		}
	}
	made.timeouts = made.timeouts.orDefaults()
	found, err := parseAddresses(address, made.tls != nil)
	if err != nil {
		return nil, err
	}
	if made.key != nil && !found.secure && !found.loopback && !made.keyNoTLS {
		return nil, errors.New("understudy: an API key would go over plaintext to another host: use TLS, or " +
			"WithAPIKeyWithoutTLS where something else guards the way")
	}
	dial := dialOptions(found, &made)
	conn, err := grpc.NewClient(found.target, dial...)
	if err != nil {
		return nil, err
	}
	probe, err := grpc.NewClient(found.target, append(dial, grpc.WithDisableHealthCheck())...)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &Client{
		conn: conn, probe: probe, llm: NewLlmServiceClient(conn), health: healthpb.NewHealthClient(probe), settings: made,
		closed: make(chan struct{}),
	}, nil
}

func dialOptions(found endpoints, made *settings) []grpc.DialOption {
	transport := insecure.NewCredentials()
	if found.secure {
		config := made.tls
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		transport = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("understudy-go/" + Version),
		grpc.WithDefaultServiceConfig(ServiceConfig),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxReceiveBytes), grpc.WaitForReady(made.wait)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		// A gateway that was away is looked for every 10 s at least, instead of every 120 s.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 10 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithStatsHandler(reachWatch{}),
	}
	if !found.managed {
		// Whatever a TXT record of the name says: a retry policy there could bill twice.
		options = append(options, grpc.WithDisableServiceConfig())
	}
	if len(found.hosts) > 0 {
		options = append(options, grpc.WithResolvers(severalResolvers{hosts: found.hosts}))
	}
	if made.key != nil {
		options = append(options, grpc.WithPerRPCCredentials(apiKey{ask: made.key, needsTLS: found.secure}))
	}
	return append(options, made.dialOptions...)
}

// Conn returns the connection, for stubs of other services. Calls of such stubs have no default deadline and are not repeated.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// Close ends open calls with Canceled and closes the connections. Further calls fail with Canceled.
func (c *Client) Close() error {
	c.closeOnce.Do(func() { close(c.closed) })
	for _, conn := range []*grpc.ClientConn{c.conn, c.probe} {
		if err := conn.Close(); err != nil && status.Code(err) != codes.Canceled {
			return err
		}
	}
	return nil
}

// Generate answers one prompt.
func (c *Client) Generate(
	ctx context.Context, request *GenerateRequest, options ...grpc.CallOption,
) (*GenerateResponse, error) {
	return invoke(ctx, c, c.newCall(c.settings.timeouts.Generate, options), c.llm.Generate, request)
}

// Chat answers a conversation with one whole message.
func (c *Client) Chat(ctx context.Context, request *ChatRequest, options ...grpc.CallOption) (*ChatResponse, error) {
	return invoke(ctx, c, c.newCall(c.settings.timeouts.Chat, options), c.llm.Chat, request)
}

// StreamChat answers a conversation as it is written. The call starts with the first read. Cancelling the context, leaving the
// loop over its events, and [ChatStream.Close] abort it, and with it the provider's. It is repeated before its first event alone.
func (c *Client) StreamChat(ctx context.Context, request *StreamChatRequest, options ...grpc.CallOption) *ChatStream {
	return newChatStream(ctx, c, c.newCall(c.settings.timeouts.StreamChat, options), request)
}

// Health tells how the targets are doing. Calls no provider.
func (c *Client) Health(ctx context.Context, options ...grpc.CallOption) (*HealthResponse, error) {
	return invoke(ctx, c, c.newCall(c.settings.timeouts.Health, options), c.llm.Health, &HealthRequest{})
}

// ListModels lists one page of the models that requests may name.
func (c *Client) ListModels(
	ctx context.Context, request *ListModelsRequest, options ...grpc.CallOption,
) (*ListModelsResponse, error) {
	return invoke(ctx, c, c.newCall(c.settings.timeouts.ListModels, options), c.llm.ListModels, request)
}

// Models lists all models, page by page; the request says of which target and how many to a page, nil for all. An error is the
// last that comes.
func (c *Client) Models(
	ctx context.Context, request *ListModelsRequest, options ...grpc.CallOption,
) iter.Seq2[*Model, error] {
	return func(yield func(*Model, error) bool) {
		page := &ListModelsRequest{}
		if request != nil {
			page = proto.CloneOf(request)
		}
		for {
			response, err := c.ListModels(ctx, page, options...)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, model := range response.GetModels() {
				if !yield(model, nil) {
					return
				}
			}
			if page.PageToken = response.GetNextPageToken(); page.PageToken == "" {
				return
			}
		}
	}
}
