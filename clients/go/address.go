package understudy

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/resolver"
)

var errAddress = errors.New(`understudy: an address must be "host:port", "http://host:port", "https://host:port" ` +
	`or a name of gRPC such as "dns:///host:port"`)

// endpoints says where the gateways are.
type endpoints struct {
	// target is for grpc.NewClient.
	target string
	// hosts are the addresses ("host:port") where there are several; gRPC then needs a resolver for them.
	hosts    []string
	secure   bool
	loopback bool
	// managed says that the resolver brings the service config (xDS).
	managed bool
}

// parseAddresses reads one or more addresses with commas between. Without a scheme they are plaintext, or TLS where hasTLS.
// Errors do not repeat an address, which may hold a secret.
func parseAddresses(text string, hasTLS bool) (endpoints, error) {
	if scheme, ok := nameScheme(text); ok {
		loopback := isLoopbackName(scheme, text)
		return endpoints{target: text, secure: hasTLS, loopback: loopback, managed: scheme == "xds"}, nil
	}
	var hosts []string
	var isSecure, isPlain bool
	loopback := true
	for part := range strings.SplitSeq(text, ",") {
		scheme, host, port, err := parseHost(strings.TrimSpace(part))
		if err != nil {
			return endpoints{}, err
		}
		isSecure = isSecure || scheme == "https"
		isPlain = isPlain || scheme == "http"
		loopback = loopback && isLoopback(host)
		if address := net.JoinHostPort(host, port); !slices.Contains(hosts, address) {
			hosts = append(hosts, address)
		}
	}
	switch {
	case isSecure && isPlain:
		return endpoints{}, errors.New("understudy: the addresses of a client must all use TLS, or none")
	case isPlain && hasTLS:
		return endpoints{}, errors.New(`understudy: TLS is asked for, but an address says "http://"`)
	}
	found := endpoints{target: "dns:///" + hosts[0], secure: isSecure || hasTLS, loopback: loopback}
	if len(hosts) > 1 {
		found.target = severalScheme + ":///" + hosts[0]
		found.hosts = hosts
	}
	return found, nil
}

// nameScheme tells whether an address is a name for one of gRPC's resolvers, and for which.
func nameScheme(text string) (string, bool) {
	scheme, _, ok := strings.Cut(text, ":")
	if !ok || scheme == "http" || scheme == "https" || resolver.Get(scheme) == nil {
		return "", false
	}
	// Host names may be those of schemes: "dns:50051" is a host and its port.
	if _, port, err := net.SplitHostPort(text); err == nil && isPort(port) {
		return "", false
	}
	return scheme, true
}

func parseHost(text string) (scheme, host, port string, err error) {
	rest := text
	if before, after, ok := strings.Cut(text, "://"); ok {
		address, err := url.Parse(text)
		if err != nil || (before != "http" && before != "https") || address.User != nil ||
			(address.Path != "" && address.Path != "/") || address.RawQuery != "" || strings.Contains(after, "#") {
			return "", "", "", errAddress
		}
		scheme, rest = before, address.Host
		if address.Port() == "" && !strings.HasSuffix(rest, ":") {
			rest = net.JoinHostPort(address.Hostname(), map[string]string{"http": "80", "https": "443"}[scheme])
		}
	}
	host, port, err = net.SplitHostPort(rest)
	if err != nil || strings.ContainsAny(host, " \t\r\n/@?#%") {
		return "", "", "", errAddress
	}
	if !isPort(port) {
		return "", "", "", errAddress
	}
	if host == "" {
		if scheme != "" {
			return "", "", "", errAddress
		}
		host = "localhost"
	}
	return scheme, host, port, nil
}

func isPort(text string) bool {
	number, err := strconv.ParseUint(text, 10, 16)
	return err == nil && number > 0
}

func isLoopbackName(scheme, text string) bool {
	switch scheme {
	case "unix", "unix-abstract":
		return true
	case "dns", "passthrough":
		host := strings.TrimPrefix(text, scheme+":")
		host = host[strings.LastIndex(host, "/")+1:]
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		return isLoopback(host)
	default:
		return false
	}
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
