package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Backup writes a backup of all tenants to w, encrypted to recipients (age public keys; none: the escrow's), and returns
// its size in bytes. What it wrote before an error is no backup. Only the local owner may.
func (c *Client) Backup(ctx context.Context, to []string, w io.Writer) (int64, error) {
	body, err := json.Marshal(tenant.BackupParams{To: to})
	if err != nil {
		return 0, fmt.Errorf("encode request: %w", err)
	}
	resp, err := c.Raw(ctx, "POST", "/api/v1/admin/backup", nil, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		_, err := decode(resp, nil, nil)
		return 0, err
	}
	n, err := io.Copy(w, resp.Body)
	if err != nil && ctx.Err() == nil {
		err = fault.New(fault.Unavailable, "the backup broke off: what was written is no backup").WithHint("bankd's log says why; make it again").Because(err)
	}
	return n, err
}

// NoteBackupVerified tells bankd that a backup of its store was opened and is whole.
func (c *Client) NoteBackupVerified(ctx context.Context, p tenant.BackupVerified) error {
	_, err := c.call(ctx, "POST", "/api/v1/admin/backup/verified", nil, p, nil)
	return err
}
