package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// How long bankd has for its answer: a call to the bank may take minutes, one to its own data seconds.
const (
	ownPatience  = 30 * time.Second
	bankPatience = 5 * time.Minute
)

// patience is how long a call waits for its answer, beside what it asks bankd to wait.
func patience(method string, u *url.URL) time.Duration {
	if wait, err := time.ParseDuration(u.Query().Get("wait")); err == nil {
		return wait + ownPatience
	}
	slow := []string{"/plaid/", "/ach", "/companies/", "/keys", "/backup"}
	if method == http.MethodGet {
		slow = []string{"/doctor", "/verify", "/token", "/institutions"}
	}
	for _, part := range slow {
		if strings.Contains(u.Path, part) {
			return bankPatience
		}
	}
	return ownPatience
}

// slowError is a call that got no answer in time.
type slowError time.Duration

func (e slowError) Error() string { return fmt.Sprintf("no answer within %s", time.Duration(e)) }

// answer sends a request and waits so long for the head of its reply; its body may take longer.
func (c *Client) answer(req *http.Request, wait time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(wait, func() { cancel(slowError(wait)) })
	resp, err := c.http.Do(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		slow := context.Cause(ctx)
		cancel(nil)
		if late, ok := errors.AsType[slowError](slow); ok {
			return nil, late
		}
		return nil, err
	}
	resp.Body = endingBody{resp.Body, cancel}
	return resp, nil
}

// endingBody ends its call when it is closed.
type endingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b endingBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// again prepares a request to be sent once more, after a pause: bankd said that it is starting.
func (c *Client) again(req *http.Request, resp *http.Response) (*http.Response, error) {
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	if req.Body != nil && req.GetBody == nil {
		return nil, fault.New(fault.Unavailable, "bankd is starting").WithHint("repeat the call; `bankctl status` shows how far it is")
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-time.After(200 * time.Millisecond):
	}
	return resp, nil
}
