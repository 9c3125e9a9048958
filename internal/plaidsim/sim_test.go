package plaidsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
)

// everything gathers the requests and replies of every simulator of this run.
var everything = sync.OnceValue(func() *plaidspec.Recorder { return plaidspec.Wrap(http.NotFoundHandler()) })

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Print(everything().Report())
	if err := everything().Write(); err != nil {
		fmt.Println(err)
		code = 1
	}
	fmt.Printf("error codes: %s\n", strings.Join(slices.Sorted(maps.Keys(everything().ErrorCodes())), " "))
	if len(everything().Violations()) > 0 && code == 0 {
		code = 1
	}
	os.Exit(code)
}

// clock is a simulated time that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 5, 4, 15, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// sim is a running simulator, its clock and a client id.
type sim struct {
	t      *testing.T
	server *plaidsim.Server
	url    string
	clock  *clock
	client string
	rec    *plaidspec.Recorder
}

func start(t *testing.T, o plaidsim.Options) *sim {
	t.Helper()
	c := newClock()
	if o.Clock == nil {
		o.Clock = c.now
	}
	if o.Limits == "" {
		o.Limits = plaidsim.LimitsOff
	}
	server, err := plaidsim.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	rec := plaidspec.Wrap(server)
	web := httptest.NewServer(rec)
	server.SetBaseURL(web.URL)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range rec.Violations() {
			t.Error("plaid openapi: " + v)
		}
		everything().Merge(rec)
	})
	return &sim{t: t, server: server, url: web.URL, clock: c, client: "client-a", rec: rec}
}

// with is the same simulator for a subtest.
func (s *sim) with(t *testing.T) *sim {
	inner := *s
	inner.t = t
	return &inner
}

type object = map[string]any

// post sends a body and returns the status and the reply.
func (s *sim) post(path string, body any) (int, object) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(path, string(raw), map[string]string{"PLAID-CLIENT-ID": s.client, "PLAID-SECRET": "secret", "Content-Type": "application/json"})
}

func (s *sim) send(path, body string, headers map[string]string) (int, object) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var out object
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&out); err != nil {
		s.t.Fatalf("%s: reply is not a JSON object: %v", path, err)
	}
	return resp.StatusCode, out
}

// ok is post for a call that must succeed.
func (s *sim) ok(path string, body any) object {
	s.t.Helper()
	status, out := s.post(path, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s: status %d, code %v: %v", path, status, out["error_code"], out["error_message"])
	}
	return out
}

// refused is post for a call that must fail with a code.
func (s *sim) refused(path string, body any, status int, code string) object {
	s.t.Helper()
	got, out := s.post(path, body)
	if got != status || out["error_code"] != code {
		s.t.Fatalf("%s: got %d %v, want %d %s (%v)", path, got, out["error_code"], status, code, out["error_message"])
	}
	return out
}

// item makes an Item by the sandbox and exchanges it.
func (s *sim) item(bank, user string, products ...string) (token, id string) {
	s.t.Helper()
	made := s.ok("/sandbox/public_token/create", object{"institution_id": bank, "initial_products": products,
		"options": object{"override_username": user, "override_password": "pass_good"}})
	got := s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})
	return got["access_token"].(string), got["item_id"].(string)
}

// at walks into a reply; numbers index arrays.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(object)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func each(v any) []object {
	var out []object
	l, _ := v.([]any)
	for _, e := range l {
		if m, ok := e.(object); ok {
			out = append(out, m)
		}
	}
	return out
}
