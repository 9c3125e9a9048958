package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
)

// ReleaseACH writes the numbers of verified ACH accounts to w, encrypted to a registered recipient, and returns how many
// accounts they are. What it wrote before an error is no release.
func (c *Client) ReleaseACH(ctx context.Context, p account.ReleaseParams, w io.Writer) (int, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("encode request: %w", err)
	}
	resp, err := c.Raw(ctx, "POST", "/api/v1/bank-accounts/ach/release", nil, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		_, err := decode(resp, nil, nil)
		return 0, err
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return 0, fault.New(fault.Unavailable, "the release broke off: what was written cannot be opened").WithHint("make it again").Because(err)
	}
	n, err := strconv.Atoi(resp.Header.Get("X-Released"))
	if err != nil {
		return 0, fault.New(fault.Internal, "bankd does not say how many accounts it released").Because(err)
	}
	return n, nil
}

// AddRecipient registers who may be sent numbers.
func (c *Client) AddRecipient(ctx context.Context, p account.RecipientParams) (r account.Recipient, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/recipients", nil, p, &r)
	return r, err
}

// ListRecipients lists who may be sent numbers.
func (c *Client) ListRecipients(ctx context.Context, p page.Request) ([]account.Recipient, page.Info, error) {
	return list[account.Recipient](ctx, c, "/api/v1/admin/recipients", p)
}

// RemoveRecipient ends a recipient.
func (c *Client) RemoveRecipient(ctx context.Context, name string) (r account.Recipient, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/admin/recipients/"+url.PathEscape(name), nil, nil, &r)
	return r, err
}
