package plaidsim_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pane is a Hosted Link pane, parsed.
type pane struct {
	t      *testing.T
	url    string
	name   string
	mfa    string
	html   string
	status int
	inputs []map[string]string
}

var (
	tagPattern  = regexp.MustCompile(`<(form|input|button)\b([^>]*)>`)
	attrPattern = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
)

var walker = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// open follows redirects inside the simulator until it gets a pane.
func open(t *testing.T, target string) *pane {
	t.Helper()
	for range 5 {
		resp, err := walker.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusSeeOther {
			return parse(t, target, resp, string(raw))
		}
		target = resolve(t, target, resp.Header.Get("Location"))
	}
	t.Fatal("the page redirects for ever")
	return nil
}

func resolve(t *testing.T, base, ref string) string {
	t.Helper()
	b, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u, err := b.Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}

func parse(t *testing.T, target string, resp *http.Response, html string) *pane {
	t.Helper()
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("content security policy is %q", csp)
	}
	if !strings.Contains(html, "SIMULATION") {
		t.Error("the pane has no simulation banner")
	}
	p := &pane{t: t, url: target, html: html, status: resp.StatusCode}
	for _, m := range tagPattern.FindAllStringSubmatch(html, -1) {
		attrs := map[string]string{"tag": m[1]}
		for _, a := range attrPattern.FindAllStringSubmatch(m[2], -1) {
			attrs[a[1]] = a[2]
		}
		if m[1] == "form" {
			p.name, p.mfa = attrs["data-pane"], attrs["data-mfa"]
			continue
		}
		p.inputs = append(p.inputs, attrs)
	}
	return p
}

// want fails unless the pane has the name.
func (p *pane) want(name string) *pane {
	p.t.Helper()
	if p.name != name {
		p.t.Fatalf("pane is %q, want %q\n%s", p.name, name, p.html)
	}
	return p
}

// complains fails unless the pane shows an error.
func (p *pane) complains() *pane {
	p.t.Helper()
	if !strings.Contains(p.html, `role="alert"`) {
		p.t.Fatalf("pane %s shows no error", p.name)
	}
	return p
}

func (p *pane) has(name string) bool {
	return slices.ContainsFunc(p.inputs, func(in map[string]string) bool { return in["name"] == name })
}

// post sends fields (name, value pairs), which the pane must have.
func (p *pane) post(fields ...string) *pane {
	p.t.Helper()
	next, away := p.submit(fields...)
	if away != "" {
		p.t.Fatalf("the page went to %s", away)
	}
	return next
}

func (p *pane) submit(fields ...string) (next *pane, away string) {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		if !p.has(fields[i]) {
			p.t.Fatalf("pane %s has no field %s", p.name, fields[i])
		}
		form.Add(fields[i], fields[i+1])
	}
	resp, err := walker.PostForm(p.url, form)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		raw, _ := io.ReadAll(resp.Body)
		return parse(p.t, p.url, resp, string(raw)), ""
	}
	target := resolve(p.t, p.url, resp.Header.Get("Location"))
	if !strings.HasPrefix(target, p.url[:strings.Index(p.url, "/hl/")]) {
		return nil, target
	}
	return open(p.t, target), ""
}

// account returns the value of the account with a mask.
func (p *pane) account(mask string) string {
	p.t.Helper()
	for _, in := range p.inputs {
		if in["data-mask"] == mask {
			return in["value"]
		}
	}
	p.t.Fatalf("no account ending in %s", mask)
	return ""
}

func (p *pane) masks() []string {
	var out []string
	for _, in := range p.inputs {
		if in["data-mask"] != "" {
			out = append(out, in["data-mask"])
		}
	}
	return out
}

// link is a /link/token/create with a hosted link, and its URL.
func (s *sim) link(extra object) (token, hosted string) {
	s.t.Helper()
	body := object{"client_name": "Bank Control", "language": "en", "country_codes": []string{"US"}, "products": []string{"auth"},
		"user": object{"client_user_id": "employee-1"}, "hosted_link": object{}}
	for k, v := range extra {
		body[k] = v
		if v == nil {
			delete(body, k)
		}
	}
	got := s.ok("/link/token/create", body)
	return got["link_token"].(string), got["hosted_link_url"].(string)
}

// signIn opens a link and goes on to the login of a bank.
func (s *sim) signIn(hosted, bank string) *pane {
	s.t.Helper()
	return open(s.t, hosted).want("CONSENT").post("continue", "1").want("SELECT_INSTITUTION").post("q", "", "institution_id", bank)
}

func (s *sim) session(token string, n int) object {
	s.t.Helper()
	got := s.ok("/link/token/get", object{"link_token": token})
	sessions := each(got["link_sessions"])
	if n >= len(sessions) {
		s.t.Fatalf("link has %d sessions, want more than %d", len(sessions), n)
	}
	return sessions[n]
}

func (s *sim) exchange(session object) (token, item string) {
	s.t.Helper()
	public := at(session, "results", "item_add_results", 0, "public_token")
	got := s.ok("/item/public_token/exchange", object{"public_token": public})
	return got["access_token"].(string), got["item_id"].(string)
}

// consented makes an Item by Link, so that its user was asked for consent.
func (s *sim) consented(extra object) (token, item string) {
	s.t.Helper()
	link, hosted := s.link(extra)
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	return s.exchange(s.session(link, 0))
}
