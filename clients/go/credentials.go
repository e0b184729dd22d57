package understudy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

var errKey = errors.New("understudy: an API key must be printable ASCII characters, without spaces")

// apiKey sends an API key with every call, "Authorization: Bearer", unless its metadata has that already.
type apiKey struct {
	ask      func(context.Context) (string, error)
	needsTLS bool
}

func (k apiKey) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	if own, _ := metadata.FromOutgoingContext(ctx); len(own.Get("authorization")) > 0 {
		return nil, nil
	}
	key, err := k.ask(ctx)
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, "the API key could not be had: "+err.Error())
	}
	if err := checkKey(key); err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	return map[string]string{"authorization": "Bearer " + key}, nil
}

func (k apiKey) RequireTransportSecurity() bool { return k.needsTLS }

// checkKey refuses what no header can carry, such as a line end that a file has behind its key. The key is not told.
func checkKey(key string) error {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errKey
	}
	return nil
}

// tlsOfFiles makes the settings of TLS. The files are read now, and certificate and key anew for each connection, so that
// they may be replaced.
func tlsOfFiles(ca, cert, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("understudy: the authorities cannot be read: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("understudy: the file of authorities has no certificate in PEM")
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("understudy: the certificate of a client and its key belong together")
	}
	if cert != "" {
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			return nil, fmt.Errorf("understudy: the certificate of the client cannot be read: %w", err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(cert, key)
			return &pair, err
		}
	}
	return config, nil
}
