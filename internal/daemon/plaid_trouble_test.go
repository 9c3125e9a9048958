package daemon_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/status"
)

// Keys that Plaid refuses are told at the start in the log, in the status, at /readyz and by doctor, until it takes
// them; a reload asks again.
func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	var taken atomic.Bool
	plaid := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusBadRequest)
		code := "INVALID_API_KEYS"
		if taken.Load() {
			code = "INVALID_INSTITUTION"
		}
		_, _ = io.WriteString(w, `{"error_type":"INVALID_INPUT","error_code":"`+code+`","error_message":"x","display_message":null,"request_id":"r"}`)
	}))
	defer plaid.Close()
	h := newHome(t)
	h.keys = sandboxKeys
	log := &logged{}
	p := h.startLogged(log, "--plaid", "sandbox", "--plaid-url", plaid.URL, "--socket", h.socket())
	log.await(t, "Plaid refuses the keys for sandbox (INVALID_API_KEYS)", 1)
	c := h.client()
	look := func() (status.Status, string, map[string]status.Check) {
		st, err := c.GetStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Raw(t.Context(), "GET", "/readyz", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		e, err := c.Examine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checks := map[string]status.Check{}
		for _, check := range e.Checks {
			checks[check.Name] = check
			if check.Result == status.Broken && e.OK {
				t.Errorf("%s is red and all is well", check.Name)
			}
		}
		return st, string(text), checks
	}
	st, ready, checks := look()
	if !st.Ready || len(st.Notices) != 1 || !strings.Contains(st.Notices[0], "PLAID_SECRET") || !strings.Contains(ready, "notice: Plaid refuses the keys") {
		t.Errorf("%+v %q", st, ready)
	}
	if plaid := checks["plaid"]; plaid.Result != status.Broken || !strings.Contains(plaid.Detail, "refuses the keys") || !strings.Contains(plaid.Hint, "PLAID_SECRET_FILE") {
		t.Errorf("%+v", plaid)
	}
	if clock := checks["clock"]; clock.Result != status.Broken || !strings.Contains(clock.Detail, "ahead of Plaid's") {
		t.Errorf("%+v", clock)
	}
	for _, name := range []string{"disk", "write", "permissions", "socket", "schema", "stale"} {
		if checks[name].Result != status.Fine {
			t.Errorf("%+v", checks[name])
		}
	}
	taken.Store(true)
	hup(p)
	log.await(t, "Plaid takes the keys", 1)
	if st, ready, checks := look(); len(st.Notices) != 0 || ready != "ready\n" || checks["plaid"].Result != status.Fine {
		t.Errorf("%+v %q %+v", st, ready, checks["plaid"])
	}
	if strings.Contains(log.String(), strings.TrimPrefix(sandboxKeys[1], "PLAID_SECRET=")) {
		t.Error("the log has the secret")
	}
}

// Why Plaid cannot be reached stands in the hint, and in the log with the request's id; neither has a secret or a URL.
func TestWhyPlaidIsNotReached(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	garbage, silent := listening(t), listening(t)
	go answer(garbage, "SSH-2.0-OpenSSH_secret\r\n")
	go answer(silent, "")
	closed := listening(t)
	closed.Close()
	for name, c := range map[string]struct{ url, says string }{
		"refused":   {"http://" + closed.Addr().String(), "network: connection refused"},
		"dns":       {"https://plaid.invalid", "DNS: "},
		"tls":       {untrusted.URL, "TLS: "},
		"plain":     {"https://" + strings.TrimPrefix(plain.URL, "http://"), "TLS: "},
		"timeout":   {"http://" + silent.Addr().String(), "timeout: "},
		"not_plaid": {"http://" + garbage.Addr().String(), "the exchange failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.keys = sandboxKeys
			log := &logged{}
			h.startLogged(log, "--plaid", "sandbox", "--plaid-url", c.url, "--plaid-timeout", "1s", "--socket", h.socket())
			_, err := h.client().StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e"})
			f, _ := errors.AsType[*fault.Error](err)
			if f == nil || f.Code != fault.PlaidError && f.Code != fault.PlaidTimeout {
				t.Fatalf("%v", err)
			}
			if f.Code == fault.PlaidError && !strings.Contains(f.Hint, c.says) {
				t.Errorf("the hint: %s", f.Hint)
			}
			log.await(t, `"request_id":"`+f.RequestID+`"`, 2) // of the call, and of its cause
			found := ""
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, "call to Plaid failed") && strings.Contains(line, f.RequestID) {
					found = line
				}
			}
			if !strings.Contains(found, c.says) {
				t.Errorf("the log: %s", found)
			}
			for _, secret := range []string{strings.TrimPrefix(sandboxKeys[0], "PLAID_CLIENT_ID="), strings.TrimPrefix(sandboxKeys[1], "PLAID_SECRET="), "OpenSSH"} {
				if strings.Contains(log.String()+f.Hint, secret) {
					t.Errorf("%s is told", secret)
				}
			}
		})
	}
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// answer sends text to whoever connects, and then nothing.
func answer(l net.Listener, text string) {
	var open []net.Conn // one that nobody holds is closed by the garbage collector
	defer func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	}()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		open = append(open, conn)
		_, _ = io.WriteString(conn, text)
	}
}
