package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// wire is a keep-alive connection that sends one request again and again. Go's own client would cost more than the
// calls measured here.
type wire struct {
	conn    net.Conn
	request []byte
	buf     []byte
	body    []byte // of the last reply
}

func dial(socket, path string, headers ...string) (*wire, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	req := "GET " + path + " HTTP/1.1\r\nHost: bankd\r\n"
	for i := 0; i+1 < len(headers); i += 2 {
		req += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	return &wire{conn: conn, request: []byte(req + "\r\n"), buf: make([]byte, 256<<10)}, nil
}

var (
	headEnd   = []byte("\r\n\r\n")
	okLine    = []byte("HTTP/1.1 200 ")
	lengthTag = []byte("\r\nContent-Length: ")
)

// call sends the request and reads the whole reply.
func (w *wire) call() error {
	if _, err := w.conn.Write(w.request); err != nil {
		return err
	}
	n, want := 0, -1
	for want < 0 || n < want {
		if n == len(w.buf) {
			return errors.New("the reply is too long")
		}
		k, err := w.conn.Read(w.buf[n:])
		if err != nil {
			return err
		}
		n += k
		if want < 0 {
			if want, err = w.length(w.buf[:n]); err != nil {
				return err
			}
		}
	}
	if n != want {
		return errors.New("more than one reply")
	}
	return nil
}

// length returns the length of head and body, -1 while the head is incomplete.
func (w *wire) length(got []byte) (int, error) {
	end := bytes.Index(got, headEnd)
	if end < 0 {
		return -1, nil
	}
	if !bytes.HasPrefix(got, okLine) {
		return 0, fmt.Errorf("not a success: %.60q", got)
	}
	_, rest, found := bytes.Cut(got[:end+2], lengthTag)
	if !found {
		return 0, errors.New("a reply without a length")
	}
	digits, _, _ := bytes.Cut(rest, headEnd[:2])
	n, err := strconv.Atoi(string(digits))
	w.body = w.buf[end+4 : min(end+4+n, len(w.buf))]
	return end + 4 + n, err
}

func (w *wire) reply() ([]byte, error) {
	if err := w.call(); err != nil {
		return nil, err
	}
	return bytes.Clone(w.body), nil
}

// connections are parallel connections to one server.
type connections []*wire

func dialAll(n int, socket, path string, headers ...string) (connections, error) {
	var all connections
	for range n {
		w, err := dial(socket, path, headers...)
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		all = append(all, w)
	}
	return all, nil
}

func (l connections) close() error {
	var errs []error
	for _, w := range l {
		errs = append(errs, w.conn.Close())
	}
	return errors.Join(errs...)
}

// run makes calls on all connections for a duration, and returns the calls a second and the time of each.
func (l connections) run(d time.Duration) (perSecond float64, took []time.Duration, err error) {
	var group sync.WaitGroup
	each, errs := make([][]time.Duration, len(l)), make([]error, len(l))
	start := time.Now()
	for i, w := range l {
		group.Go(func() {
			for at := time.Now(); at.Sub(start) < d; {
				if errs[i] = w.call(); errs[i] != nil {
					return
				}
				now := time.Now()
				each[i] = append(each[i], now.Sub(at))
				at = now
			}
		})
	}
	group.Wait()
	all := time.Since(start)
	took = slices.Concat(each...)
	return float64(len(took)) / all.Seconds(), took, errors.Join(errs...)
}
