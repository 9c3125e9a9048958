package server

import (
	"io"
	"strconv"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/page"
)

// releasedHeader tells how many accounts a release holds, which the reader of the file alone could count.
const releasedHeader = "X-Released"

func (s *Server) releaseACH(c *call) (streamer, error) {
	p, err := decode[account.ReleaseParams](c)
	if err != nil {
		return nil, err
	}
	n, write, err := s.bank.ReleaseACH(c.r.Context(), c.caller, p)
	if err != nil {
		return nil, err
	}
	c.w.Header().Set(releasedHeader, strconv.Itoa(n))
	return func(w io.Writer) error { return write(w) }, nil
}

func (s *Server) removeRecipient(c *call) (any, *page.Info, error) {
	reply, err := s.bank.RemoveRecipient(c.r.Context(), c.caller, c.param("name"))
	return reply, nil, err
}
