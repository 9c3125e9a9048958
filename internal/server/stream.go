package server

import (
	"io"
	"net/http"
	"time"
)

// streamer writes a reply of another form than JSON, bit by bit.
type streamer func(io.Writer) error

// stream runs a call whose reply is not held in memory. What fails before its first byte is answered as usual; after it
// the connection is cut, so that nobody takes a part for the whole.
func (s *Server) stream(c *call, rt *route) {
	if err := c.readBody(); err != nil {
		c.fail(err)
		return
	}
	write, err := rt.Stream(c)
	if err != nil {
		s.auditRefusal(c, rt, err)
		c.fail(err)
		return
	}
	w := &streamWriter{w: c.w, deadline: http.NewResponseController(c.w)}
	if c.w.Header().Get("Content-Type") == "" {
		c.w.Header().Set("Content-Type", "application/octet-stream")
	}
	if err := write(w); err != nil {
		if !w.begun {
			c.w.Header().Del("Content-Type")
			c.fail(err)
			return
		}
		s.log.Error("a reply could not be written whole", "request_id", c.id, "route", rt.Path, "error", err.Error())
		c.status = http.StatusInternalServerError // for log and metrics; the caller has seen 200
		if conn, _, err := w.deadline.Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	c.status = http.StatusOK
}

// streamPatience is how long a reader may take for one piece.
const streamPatience = time.Minute

type streamWriter struct {
	w        io.Writer
	deadline *http.ResponseController
	begun    bool
}

func (s *streamWriter) Write(p []byte) (int, error) {
	s.begun = true
	_ = s.deadline.SetWriteDeadline(time.Now().Add(streamPatience))
	return s.w.Write(p)
}
