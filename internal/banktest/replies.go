package banktest

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Replies lets a test change what Plaid answers on a path: as a bank with odd data would.
func Replies(change func(path string, body []byte) []byte) Option {
	return func(b *Bank) { b.replies = change }
}

// changedReplies is a transport that changes replies.
type changedReplies struct {
	to     http.RoundTripper
	change func(path string, body []byte) []byte
}

func (c changedReplies) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.to.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = c.change(req.URL.Path, body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return resp, nil
}
