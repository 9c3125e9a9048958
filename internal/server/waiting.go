package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/status"
)

// Waiting answers while a start checks the data: it tells how far that is, and refuses everything else.
func Waiting(report func() status.Status) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := report()
		switch r.URL.Path {
		case "/healthz":
			w.Header()["Content-Type"] = asText
			fmt.Fprintln(w, "ok")
		case "/readyz":
			w.Header()["Content-Type"] = asText
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "not ready: "+st.Problem)
		case "/api/v1/status":
			w.Header()["Content-Type"] = asJSON
			_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "data": st})
		default:
			f := fault.New(fault.Unavailable, "bankd is starting: %s", st.Problem).WithHint("repeat the call; `bankctl status` shows how far it is")
			f.RequestID, f.RetryAfter = requestID(header(r, "X-Request-Id")), 1
			w.Header()["Content-Type"] = asJSON
			w.Header().Set("X-Bankd-Starting", "1")
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
			w.Header().Set("X-Request-Id", f.RequestID)
			w.WriteHeader(f.Code.Status())
			_ = json.NewEncoder(w).Encode(failure{Error: f})
		}
	})
}
