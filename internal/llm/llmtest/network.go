package llmtest

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Network is a provider that is reached without a socket, so that a test may
// run it under a clock of its own (testing/synctest). Every host name leads to
// the provider; Hosts tells which ones were asked for.
type Network struct {
	*Provider
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}

	mu    sync.Mutex
	hosts map[string]int
}

// NewNetwork starts a provider. Close ends it.
func NewNetwork() *Network {
	n := &Network{Provider: &Provider{}, conns: make(chan net.Conn), closed: make(chan struct{}), hosts: map[string]int{}}
	n.server = &http.Server{Handler: n.Provider} //nolint:gosec // no socket, so nobody can be slow
	go func() { _ = n.server.Serve(pipeListener{n}) }()
	return n
}

// Close ends the provider and every connection to it.
func (n *Network) Close() { _ = n.server.Close() }

// Transport connects to the provider, whatever the address.
func (n *Network) Transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		n.mu.Lock()
		n.hosts[addr]++
		n.mu.Unlock()
		here, there := net.Pipe()
		select {
		case n.conns <- there:
			return here, nil
		case <-n.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

// Dialled tells how often each host:port was connected to.
func (n *Network) Dialled(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[addr]
}

type pipeListener struct{ n *Network }

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.n.conns:
		return c, nil
	case <-l.n.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	close(l.n.closed)
	return nil
}

func (pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "llmtest"} }
