package understudy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Option is an option of a client.
type Option func(*settings) error

// Timeouts are deadlines of calls that have none, by method. 0 is the default, and less than 0 sends none: the gateway then
// uses its own of 600 s.
type Timeouts struct {
	// Generate, Chat and ListModels have 120 s by default.
	Generate, Chat, ListModels time.Duration
	// StreamChat has 600 s by default, since it covers the whole stream.
	StreamChat time.Duration
	// Health and Check have 5 s by default. Watch has no deadline.
	Health, Check time.Duration
}

const (
	// DefaultTimeout is the deadline of Generate, Chat and ListModels.
	DefaultTimeout = 120 * time.Second
	// DefaultStreamTimeout is the deadline of StreamChat.
	DefaultStreamTimeout = 600 * time.Second
	// DefaultHealthTimeout is the deadline of Health and Check.
	DefaultHealthTimeout = 5 * time.Second
	// DefaultMaxRetries is how often a call is repeated at most where that cannot bill twice.
	DefaultMaxRetries = 2
	// MaxReceiveBytes is the size of the largest message that is read: the gateway's own limit. That of gRPC alone is 4 MiB.
	MaxReceiveBytes = 20 << 20
	// ServiceConfig balances between gateways and leaves out those that do not serve. It has no retry policy, and needs none.
	ServiceConfig = `{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":""}}`
)

type settings struct {
	timeouts    Timeouts
	metadata    metadata.MD
	maxRetries  int
	wait        bool
	tls         *tls.Config
	key         func(context.Context) (string, error)
	keyNoTLS    bool
	dialOptions []grpc.DialOption
}

// WithAPIKey sends an API key with every call, "Authorization: Bearer". Metadata of that name wins. Over plaintext to another host
// [New] refuses it, unless [WithAPIKeyWithoutTLS] is given.
func WithAPIKey(key string) Option {
	return func(s *settings) error {
		if err := checkKey(key); err != nil {
			return err
		}
		s.key = func(context.Context) (string, error) { return key, nil }
		return nil
	}
}

// WithAPIKeyFunc asks for the API key at each call, for keys that change. The context is that of the call. An error ends the
// call as Unauthenticated. It must be safe for concurrent use, and fast: keep what you fetch.
func WithAPIKeyFunc(ask func(context.Context) (string, error)) Option {
	return func(s *settings) error {
		if ask == nil {
			return errors.New("understudy: the function that gives API keys is nil")
		}
		s.key = ask
		return nil
	}
}

// WithAPIKeyWithoutTLS lets an API key go over plaintext to other hosts, where something else guards the way.
func WithAPIKeyWithoutTLS() Option {
	return func(s *settings) error {
		s.keyNoTLS = true
		return nil
	}
}

// WithTLS uses TLS; nil for the authorities of the system. Its ServerName is the name that the certificate of every gateway
// must have; by default that is the host of its address. An address with "https://" has TLS without this.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		s.tls = config.Clone()
		return nil
	}
}

// WithTLSFiles uses TLS with files in PEM: authorities to trust instead of those of the system, and, for mTLS, the certificate
// of this client and its key; "" for none. Certificate and key are read anew for each connection.
func WithTLSFiles(authorities, certificate, key string) Option {
	return func(s *settings) error {
		config, err := tlsOfFiles(authorities, certificate, key)
		s.tls = config
		return err
	}
}

// WithTimeouts sets the deadlines of calls that have none.
func WithTimeouts(timeouts Timeouts) Option {
	return func(s *settings) error {
		s.timeouts = timeouts
		return nil
	}
}

// WithMetadata sends metadata with every call: names and values in turn. Metadata of a call wins.
func WithMetadata(namesAndValues ...string) Option {
	return func(s *settings) error {
		if len(namesAndValues)%2 != 0 {
			return errors.New("understudy: metadata has a name without a value")
		}
		s.metadata = metadata.Join(s.metadata, metadata.Pairs(namesAndValues...))
		return nil
	}
}

// WithMaxRetries sets how often a call is repeated at most where that cannot bill twice; 0 for never. Default:
// [DefaultMaxRetries].
func WithMaxRetries(most int) Option {
	return func(s *settings) error {
		if most < 0 {
			return fmt.Errorf("understudy: %d retries are asked for; 0 is never", most)
		}
		s.maxRetries = most
		return nil
	}
}

// WithWaitForReady lets calls wait, within their deadline, for a gateway that can be reached, instead of failing soon. For one
// call say grpc.WaitForReady(true).
func WithWaitForReady() Option {
	return func(s *settings) error {
		s.wait = true
		return nil
	}
}

// WithDialOptions adds options of gRPC, such as interceptors and instrumentation. They win over those of this package.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) error {
		s.dialOptions = append(s.dialOptions, options...)
		return nil
	}
}

// orDefaults fills in what is not set; 0 is no deadline afterwards.
func (t Timeouts) orDefaults() Timeouts {
	for _, field := range []struct {
		timeout   *time.Duration
		byDefault time.Duration
	}{
		{&t.Generate, DefaultTimeout},
		{&t.Chat, DefaultTimeout},
		{&t.ListModels, DefaultTimeout},
		{&t.StreamChat, DefaultStreamTimeout},
		{&t.Health, DefaultHealthTimeout},
		{&t.Check, DefaultHealthTimeout},
	} {
		switch {
		case *field.timeout == 0:
			*field.timeout = field.byDefault
		case *field.timeout < 0:
			*field.timeout = 0
		}
	}
	return t
}
