package server

import (
	"context"
	"io"

	"github.com/bankctl/bankctl/internal/tenant"
)

func (s *Server) backUp(c *call) (streamer, error) {
	p, err := decode[tenant.BackupParams](c)
	if err != nil {
		return nil, err
	}
	write, err := s.bank.Backup(c.r.Context(), c.caller, p.To)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		counts, err := write(c.r.Context(), w)
		if err == nil {
			s.log.Info("backup made", "request_id", c.id, "entries", counts.Entries, "bytes", counts.Bytes)
		}
		return err
	}, nil
}

func (s *Server) noteBackupVerified(ctx context.Context, caller tenant.Caller, p tenant.BackupVerified) (tenant.BackupVerified, error) {
	return p, s.bank.NoteBackupVerified(ctx, caller, p)
}
