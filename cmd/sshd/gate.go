package sshd

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// gate counts connections before anything is spent on them: in all and per
// address, and apart those that have not finished the handshake.
type gate struct {
	limits Limits

	mu      sync.Mutex
	conns   map[*conn]struct{}
	pending *list.List // of *conn, oldest first
	groups  map[netip.Prefix]*groupCount
	refused uint64
}

// groupCount is what one address (or IPv6 /64) holds.
type groupCount struct{ pending, all int }

func newGate(limits Limits) *gate {
	return &gate{
		limits:  limits,
		conns:   make(map[*conn]struct{}),
		pending: list.New(),
		groups:  make(map[netip.Prefix]*groupCount),
	}
}

// groupOf is the unit that limits are counted by: an IPv4 address, or an IPv6
// /64, since a single subscriber has all of one. An IPv4-mapped IPv6 address is
// the IPv4 address. The zero Prefix stands for every peer without an address.
func groupOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// remoteOf is the peer's address and port, unmapped.
func remoteOf(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// admit counts a new connection, or says that there is no room for it. It may
// close an older one that stalls in its handshake.
func (g *gate) admit(c *conn) bool {
	stalled, ok := g.count(c)
	if stalled != nil {
		_ = stalled.Close()
	}
	return ok
}

func (g *gate) count(c *conn) (stalled *conn, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.groups[c.group]
	if group == nil {
		group = &groupCount{}
	}
	if len(g.conns) >= g.limits.Connections || group.all >= g.limits.ConnectionsPerAddress ||
		group.pending >= g.limits.UnauthenticatedPerAddress {
		g.refused++
		return nil, false
	}
	if g.pending.Len() >= g.limits.Unauthenticated {
		stalled = g.pending.Front().Value.(*conn)
		g.refused++
		g.settle(stalled)
	}
	g.groups[c.group] = group
	g.conns[c] = struct{}{}
	group.all++
	group.pending++
	c.waiting = g.pending.PushBack(c)
	return stalled, true
}

// settle takes a connection off the unauthenticated ones. The lock is held.
func (g *gate) settle(c *conn) {
	if c.waiting == nil {
		return
	}
	g.pending.Remove(c.waiting)
	c.waiting = nil
	g.groups[c.group].pending--
}

// authenticated says that a connection finished its handshake.
func (g *gate) authenticated(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle(c)
}

// leave takes a connection out of every count.
func (g *gate) leave(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.conns[c]; !ok {
		return
	}
	g.settle(c)
	delete(g.conns, c)
	group := g.groups[c.group]
	if group.all--; group.all == 0 {
		delete(g.groups, c.group)
	}
}

// all returns the connections of this moment.
func (g *gate) all() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	return conns
}

func (g *gate) counts() (all, pending int, refused uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns), g.pending.Len(), g.refused
}
