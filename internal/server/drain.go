package server

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What a connection does, as far as the end of the daemon is concerned.
const (
	quiet     int32 = iota // between two calls, or with half a header
	receiving              // a call's body
	working                // on a call, whose result must reach the disk and the caller
	sending                // the reply
)

// At the end of the daemon a peer has this long to complete what it has begun to send, and to take a reply.
const (
	restToCome = 500 * time.Millisecond
	restToGo   = 2 * time.Second
)

// peer is one connection of a caller.
type peer struct {
	conn  net.Conn
	uid   int
	peers *peers

	does     atomic.Int32
	hurrying sync.Mutex
}

// peers are the open connections. http.Server.Shutdown waits for what they do; drain bounds the wait for peers that do
// nothing: half a header, half a body, a reply that is not read.
type peers struct {
	stopping atomic.Bool
	stopped  chan struct{} // closed when the daemon begins to end
	mu       sync.Mutex
	open     map[net.Conn]*peer
}

func (p *peers) add(conn net.Conn, uid int) *peer {
	one := &peer{conn: conn, uid: uid, peers: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[net.Conn]*peer{}
	}
	p.open[conn] = one
	return one
}

// left forgets a connection that is closed.
func (p *peers) left(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// ending closes when the daemon begins to end; nil, which never closes, of a call without a connection.
func (p *peer) ending() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.peers.stopped
}

// enter notes what the connection does from now on.
func (p *peer) enter(does int32) {
	if p == nil {
		return
	}
	p.does.Store(does)
	if p.peers.stopping.Load() {
		p.hurry()
	}
}

// hurry bounds how long the connection may go on with what it does, while the daemon waits for it. A call that is
// worked on has no bound here: a deadline for reading would cancel it.
func (p *peer) hurry() {
	p.hurrying.Lock()
	defer p.hurrying.Unlock()
	now := time.Now()
	switch p.does.Load() {
	case quiet:
		_ = p.conn.SetReadDeadline(now.Add(restToCome))
		_ = p.conn.SetWriteDeadline(now.Add(restToGo))
	case receiving:
		_ = p.conn.SetReadDeadline(now.Add(restToCome))
	case working:
		_ = p.conn.SetDeadline(time.Time{})
	case sending:
		_ = p.conn.SetWriteDeadline(now.Add(restToGo))
	}
}

func (p *peers) drain() {
	if !p.stopping.Swap(true) {
		close(p.stopped)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.open {
		one.hurry()
	}
}
