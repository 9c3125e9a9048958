package plaidsim_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "auth")
	call := func(path string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(`{"client_id":"client-a","secret":"s","access_token":"`+access+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return (&http.Client{Timeout: 5 * time.Second}).Do(req)
	}
	set := func(text string) {
		t.Helper()
		faults, err := plaidsim.ParseFaults(text)
		if err != nil {
			t.Fatal(err)
		}
		s.server.SetFaults(faults)
	}
	for text, want := range map[string]int{"/auth/get:500:1": 500, "/auth/get:429:1": 429, "*:html502:1": 502, "/auth/*:slow:1ms": 200} {
		set(text)
		resp, err := call("/auth/get")
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d", text, resp.StatusCode)
		}
		if strings.Contains(text, "429") && !strings.Contains(string(raw), "AUTH_LIMIT") {
			t.Errorf("%s: body %s", text, raw)
		}
		if strings.HasSuffix(text, ":1") {
			resp, err := call("/auth/get")
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: the fault outlives its count", text)
			}
			resp.Body.Close()
		}
	}
	for _, text := range []string{"/auth/get:reset:1", "/auth/get:lost:1", "/auth/get:hang:1ms"} {
		set(text)
		if resp, err := call("/auth/get"); err == nil {
			resp.Body.Close()
			t.Errorf("%s: a reply came", text)
		}
	}
	set("/auth/get:500:1m")
	s.clock.add(2 * time.Minute)
	if resp, err := call("/auth/get"); err != nil || resp.StatusCode != 200 {
		t.Error("a fault outlives its duration")
	} else {
		resp.Body.Close()
	}
}

func TestLostReplyHasItsEffect(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "auth")
	s.server.SetFaults([]plaidsim.Fault{{Route: "/item/remove", Kind: "lost", Count: 1}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/item/remove", strings.NewReader(`{"client_id":"client-a","secret":"s","access_token":"`+access+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("a lost reply came")
	}
	s.refused("/item/get", object{"access_token": access}, 400, "ITEM_NOT_FOUND")
}

func TestParse(t *testing.T) {
	t.Parallel()
	faults, err := plaidsim.ParseFaults("/auth/get:500:3, *:slow:2s,/item/get:reset")
	want := []plaidsim.Fault{{Route: "/auth/get", Kind: "500", Count: 3}, {Route: "*", Kind: "slow", For: 2 * time.Second}, {Route: "/item/get", Kind: "reset"}}
	if diff := cmp.Diff(want, faults); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, text := range []string{"x", "auth:500", "/a:nope", "/a:500:0", "/a:500:x", "/a:500:1:2"} {
		if _, err := plaidsim.ParseFaults(text); err == nil {
			t.Errorf("fault %q is accepted", text)
		}
	}
	ready, err := plaidsim.ParseReady("initial=10s,history=60s")
	if err != nil || ready != (plaidsim.Ready{Initial: 10 * time.Second, History: time.Minute}) {
		t.Error(ready, err)
	}
	for _, text := range []string{"initial", "initial=x", "later=1s", "initial=5s,history=1s"} {
		if _, err := plaidsim.ParseReady(text); err == nil {
			t.Errorf("ready %q is accepted", text)
		}
	}
	for text, want := range map[string]plaidsim.Limits{"": "sandbox", "off": "off", "production": "production"} {
		if got, err := plaidsim.ParseLimits(text); err != nil || got != want {
			t.Errorf("limits %q: %v %v", text, got, err)
		}
	}
	if _, err := plaidsim.ParseLimits("none"); err == nil {
		t.Error("limits none are accepted")
	}
}
