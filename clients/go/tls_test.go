package understudy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"understudy.internal/understudy"
)

// authority signs certificates of a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *authority {
	made := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	made.certificate, made.key = made.sign(t, made.file, "", &x509.Certificate{IsCA: true, BasicConstraintsValid: true})
	return made
}

// sign makes a certificate and its key, and writes both as PEM.
func (a *authority) sign(t *testing.T, file, keyFile string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "CERTIFICATE", raw)
	if keyFile != "" {
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, keyFile, "PRIVATE KEY", raw)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func write(t *testing.T, file, kind string, raw []byte) {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pair writes a certificate for a name, or an address, and its key.
func (a *authority) pair(t *testing.T, name string) (file, keyFile string) {
	folder := t.TempDir()
	file, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	a.sign(t, file, keyFile, template)
	return file, keyFile
}

// serve starts a server whose certificate is for a name. It asks clients for a certificate where wantsClient.
func (a *authority) serve(t *testing.T, name string, wantsClient bool) *server {
	pair, err := tls.LoadX509KeyPair(a.pair(t, name))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool}
	if wantsClient {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return new(server).start(t, "", grpc.Creds(credentials.NewTLS(config)))
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	served := ca.serve(t, "127.0.0.1", false)
	key := understudy.WithAPIKey("secret")
	if err := generate(t.Context(), client(t, "https://"+served.address, key, understudy.WithTLSFiles(ca.file, "", ""))); err != nil {
		t.Fatal(err)
	}
	if _, got, _ := served.seen(); got.Get("authorization")[0] != "Bearer secret" {
		t.Fatal(got)
	}
	for name, llm := range map[string]*understudy.Client{
		"an authority that is not known": client(t, "https://"+served.address, key),
		"plaintext":                      client(t, served.address, key),
		"another name": client(t, strings.Replace(served.address, "127.0.0.1", "localhost", 1), key,
			understudy.WithTLSFiles(ca.file, "", "")),
	} {
		if err := generate(t.Context(), llm, understudy.MaxRetries(0)); understudy.DecodeError(err).Code != codes.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls, _, _ := served.seen(); calls != 1 {
		t.Fatal(calls)
	}
}

func TestMutualTLS(t *testing.T) {
	ca := newAuthority(t)
	served := ca.serve(t, "llm.example", true)
	file, keyFile := ca.pair(t, "caller")
	pair, err := tls.LoadX509KeyPair(file, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	config := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, ServerName: "llm.example"}
	if err := generate(t.Context(), client(t, served.address, understudy.WithTLS(config))); err != nil {
		t.Fatal(err)
	}
	config.Certificates = nil
	if err := generate(t.Context(), client(t, served.address, understudy.WithTLS(config)), understudy.MaxRetries(0)); err == nil {
		t.Fatal("it is served without a certificate")
	}
	addressed := ca.serve(t, "127.0.0.1", true)
	if err := generate(t.Context(), client(t, addressed.address, understudy.WithTLSFiles(ca.file, file, keyFile))); err != nil {
		t.Fatal(err)
	}
}

func TestEachOfSeveralGatewaysHasItsOwnName(t *testing.T) {
	ca := newAuthority(t)
	one, two := ca.serve(t, "127.0.0.1", false), ca.serve(t, "localhost", false)
	addresses := "https://" + one.address + ",https://" + strings.Replace(two.address, "127.0.0.1", "localhost", 1)
	llm := client(t, addresses, understudy.WithTLSFiles(ca.file, "", ""))
	eventually(t, func() bool {
		if err := generate(t.Context(), llm); err != nil {
			t.Fatal(err)
		}
		first, got, _ := one.seen()
		second, _, _ := two.seen()
		return first > 0 && second > 0 && got.Get(":authority")[0] == one.address
	})
}
