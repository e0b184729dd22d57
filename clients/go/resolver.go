package understudy

import (
	"net/url"
	"slices"
	"sync"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/resolver"
)

// severalScheme names the resolver of several addresses in targets.
const severalScheme = "understudy"

// severalResolvers resolves several addresses by DNS, each for itself, and hands all that is found to one connection. Each
// keeps its own name for TLS.
type severalResolvers struct {
	hosts []string
}

func (b severalResolvers) Scheme() string { return severalScheme }

func (b severalResolvers) Build(
	_ resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions,
) (resolver.Resolver, error) {
	all := &severalResolver{cc: cc, found: make([][]resolver.Endpoint, len(b.hosts)), wasTold: make([]bool, len(b.hosts))}
	for index, host := range b.hosts {
		target := resolver.Target{URL: url.URL{Scheme: "dns", Path: "/" + host}}
		one := &oneOfSeveral{ClientConn: cc, all: all, index: index, host: host}
		child, err := resolver.Get("dns").Build(target, one, opts)
		if err != nil {
			all.Close()
			return nil, err
		}
		all.children = append(all.children, child)
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	all.isBuilt = true
	_ = all.publish()
	return all, nil
}

type severalResolver struct {
	cc       resolver.ClientConn
	children []resolver.Resolver

	mu      sync.Mutex
	isBuilt bool
	found   [][]resolver.Endpoint
	wasTold []bool
	// lastError is why the last name that failed did.
	lastError error
}

func (r *severalResolver) ResolveNow(opts resolver.ResolveNowOptions) {
	for _, child := range r.children {
		child.ResolveNow(opts)
	}
}

func (r *severalResolver) Close() {
	for _, child := range r.children {
		child.Close()
	}
}

// publish tells the connection what is known, or, once every name has had its say, that nothing is.
func (r *severalResolver) publish() error {
	if !r.isBuilt {
		return nil
	}
	var state resolver.State
	for _, endpoints := range r.found {
		state.Endpoints = append(state.Endpoints, endpoints...)
	}
	for _, endpoint := range state.Endpoints {
		state.Addresses = append(state.Addresses, endpoint.Addresses...)
	}
	switch {
	case len(state.Endpoints) > 0:
		return r.cc.UpdateState(state)
	case slices.Contains(r.wasTold, false):
	case r.lastError != nil:
		r.cc.ReportError(r.lastError)
	default:
		return r.cc.UpdateState(state)
	}
	return nil
}

// oneOfSeveral is told what one of the addresses resolves to.
type oneOfSeveral struct {
	resolver.ClientConn
	all   *severalResolver
	index int
	host  string
}

func (c *oneOfSeveral) UpdateState(state resolver.State) error {
	endpoints := state.Endpoints
	if len(endpoints) == 0 {
		for _, address := range state.Addresses {
			endpoints = append(endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
		}
	}
	named := make([]resolver.Endpoint, 0, len(endpoints))
	for _, endpoint := range endpoints {
		addresses := make([]resolver.Address, 0, len(endpoint.Addresses))
		for _, address := range endpoint.Addresses {
			address.ServerName = c.host
			addresses = append(addresses, address)
		}
		endpoint.Addresses = addresses
		named = append(named, endpoint)
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.found[c.index], c.all.wasTold[c.index] = named, true
	err := c.all.publish()
	if len(named) == 0 {
		// A name that nobody knows is asked for again.
		return balancer.ErrBadResolverState
	}
	return err
}

// ReportError keeps what was found before, as gRPC's own resolver does.
func (c *oneOfSeveral) ReportError(err error) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.wasTold[c.index], c.all.lastError = true, err
	_ = c.all.publish()
}
