package plaid

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

// maxPanes bounds the walk: no path through Link is nearly that long.
const maxPanes = 25

// CompleteHosted walks the simulator's Hosted Link page as a person would, form by form, until the session ends. It
// knows the page by its pane names and field names alone. Real Plaid's page is for people: this never goes there.
func (c *Client) CompleteHosted(ctx context.Context, hostedURL string, p connection.CompleteParams) error {
	if c.config.Environment != Simulated {
		return fault.New(fault.Forbidden, "only the simulator's page can be walked by a program")
	}
	w := &walker{http: c.http, params: p}
	page, err := w.get(ctx, hostedURL)
	for range maxPanes {
		if err != nil {
			return err
		}
		if page.pane == "CONNECTED" || page.pane == "EXIT" || page.form == nil {
			return w.ended(page)
		}
		fields, ferr := w.fill(page)
		if ferr != nil {
			return ferr
		}
		page, err = w.post(ctx, page, fields)
	}
	return fault.New(fault.PlaidError, "the hosted page does not come to an end")
}

type walker struct {
	http   *http.Client
	params connection.CompleteParams
	signIn int // how often credentials were sent
}

// pane is one page of Link: its name, and the form that leads on.
type pane struct {
	pane   string
	at     *url.URL
	form   *html.Node
	errors string
}

func (w *walker) ended(p *pane) error {
	if p.pane == "ERROR" || p.form == nil && p.pane == "" {
		return fault.New(fault.PlaidError, "the hosted page ended in an error").WithHint("the link may have expired: start a new one")
	}
	return nil
}

// fill answers a pane's form. An unknown pane is left by its own defaults.
func (w *walker) fill(p *pane) (url.Values, error) {
	fields := hidden(p.form)
	if w.params.Exit && p.pane != "CONSENT" {
		fields.Set("exit", "1")
		return fields, nil
	}
	switch p.pane {
	case "SELECT_INSTITUTION":
		fields.Set("institution_id", w.params.InstitutionID)
	case "CREDENTIAL":
		if w.signIn++; w.signIn > 1 {
			return nil, refusedSignIn(p)
		}
		fields.Set("username", or(w.params.Username, "user_good"))
		fields.Set("password", or(w.params.Password, "pass_good"))
	case "MFA":
		return fields, answerMFA(p.form, fields)
	case "SELECT_ACCOUNT":
		return fields, w.choose(p.form, fields)
	case "ERROR":
		fields.Set("exit", "1")
	}
	return fields, nil
}

func refusedSignIn(p *pane) error {
	return fault.Field("password", "was refused by the bank").WithHint("in the simulator user_good / pass_good sign in%s", p.errors)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// answerMFA gives the published answers of Plaid's sandbox, which the page tells in data-answer.
func answerMFA(form *html.Node, fields url.Values) error {
	for n := range inputs(form) {
		if answer := attr(n, "data-answer"); answer != "" && attr(n, "name") != "" {
			fields.Set(attr(n, "name"), answer)
		}
	}
	return nil
}

// choose ticks the accounts asked for by mask, or all of them.
func (w *walker) choose(form *html.Node, fields url.Values) error {
	fields.Del("account_ids")
	found := map[string]bool{}
	single := ""
	for n := range inputs(form) {
		mask := attr(n, "data-mask")
		if attr(n, "name") != "account_ids" || len(w.params.Masks) > 0 && !slices.Contains(w.params.Masks, mask) {
			continue
		}
		found[mask] = true
		if attr(n, "type") == "radio" {
			single = or(single, attr(n, "value"))
			continue
		}
		fields.Add("account_ids", attr(n, "value"))
	}
	if single != "" {
		fields.Set("account_ids", single)
	}
	for _, mask := range w.params.Masks {
		if !found[mask] {
			return fault.Field("masks", "the bank offers no account with one of these masks")
		}
	}
	return nil
}

func (w *walker) get(ctx context.Context, at string) (*pane, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("open hosted page: %w", err)
	}
	return w.load(ctx, req)
}

func (w *walker) post(ctx context.Context, p *pane, fields url.Values) (*pane, error) {
	at, err := p.at.Parse(attr(p.form, "action"))
	if err != nil {
		return nil, fmt.Errorf("follow hosted page: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, fmt.Errorf("follow hosted page: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.load(ctx, req)
}

// load sends a request and follows the page's own redirects, on the same host alone.
func (w *walker) load(ctx context.Context, req *http.Request) (*pane, error) {
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, explain(ctx, nil, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSeeOther || resp.StatusCode == http.StatusFound {
		to, err := resp.Location()
		if err != nil {
			return nil, fmt.Errorf("follow hosted page: %w", err)
		}
		if to.Host != req.URL.Host {
			return &pane{pane: "CONNECTED"}, nil // on to the caller's completion page
		}
		return w.get(ctx, to.String())
	}
	root, err := html.Parse(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read hosted page: %w", err)
	}
	return parsePane(root, resp.Request.URL), nil
}

func parsePane(root *html.Node, at *url.URL) *pane {
	p := &pane{at: at}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if name := attr(n, "data-pane"); name != "" && p.pane == "" {
			p.pane = name
			if n.Data == "form" {
				p.form = n
			}
		}
	}
	return p
}

func inputs(form *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range form.Descendants() {
			if n.Type == html.ElementNode && n.Data == "input" && !yield(n) {
				return
			}
		}
	}
}

// hidden collects what the form sends by itself.
func hidden(form *html.Node) url.Values {
	fields := url.Values{}
	for n := range inputs(form) {
		if attr(n, "type") == "hidden" && attr(n, "name") != "" {
			fields.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	return fields
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
