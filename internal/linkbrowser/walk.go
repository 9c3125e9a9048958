// Package linkbrowser walks the simulator's Hosted Link page as a person would, form by form, so that a link can be
// made without a browser. It knows the page by its pane names and field names alone. Real Plaid's page is for people:
// nothing here ever goes there.
package linkbrowser

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

// Bounds: no path through Link is nearly that long, no pane nearly that large or slow.
const (
	maxPanes    = 25
	maxPane     = 8 << 20
	paneTimeout = 30 * time.Second
)

// Walk follows a hosted page until its session ends, answering as params say.
func Walk(ctx context.Context, hostedURL string, params connection.CompleteParams) error {
	w := &walker{params: params, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	page, err := w.get(ctx, hostedURL)
	for range maxPanes {
		if err != nil {
			return err
		}
		if page.pane == "CONNECTED" || page.pane == "EXIT" || page.form == nil {
			return w.ended(page)
		}
		fields, fillErr := w.fill(page)
		if fillErr != nil {
			return fillErr
		}
		page, err = w.post(ctx, page, fields)
	}
	return fault.New(fault.PlaidError, "the hosted page does not come to an end")
}

type walker struct {
	http   *http.Client
	params connection.CompleteParams
	signIn int // how often credentials were sent
	round  int // of security questions
	codes  int // how often a deposit's code was sent

	choices int // how often an institution was chosen
}

// pane is one page of Link: its name, and the form that leads on.
type pane struct {
	pane string
	at   *url.URL
	form *html.Node
}

func (w *walker) ended(p *pane) error {
	if p.pane == "ERROR" || p.form == nil && p.pane == "" {
		return fault.New(fault.PlaidError, "the hosted page ended in an error").WithHint("the link may have expired: start a new one")
	}
	return nil
}

// fill answers a pane's form: its hidden fields, what a person would type, and the button they would press.
func (w *walker) fill(p *pane) (url.Values, error) {
	fields := hidden(p.form)
	if w.params.Exit {
		fields.Set("exit", "1")
		return fields, nil
	}
	press := "submit"
	switch p.pane {
	case "CONSENT", "OAUTH", "SAME_DAY_MICRODEPOSIT_AUTHORIZED":
		press = "continue"
	case "SUBMIT_PHONE":
		fields.Set("phone_number", "4155550010")
	case "VERIFY_PHONE":
		fields.Set("otp", "123456") // what Plaid's sandbox sends to every phone
	case "SELECT_AUTH_TYPE":
		fields.Set("auth_type", "instant")
		if w.params.Manual != nil {
			fields.Set("auth_type", "manual")
			return fields, nil
		}
	case "SELECT_INSTITUTION":
		if w.choices++; w.choices > 1 {
			return nil, fault.New(fault.NotFound, connection.NoInstitution).WithHint(connection.FindInstitution)
		}
		if w.params.Manual != nil {
			fields.Set("manual", "1")
			return fields, nil
		}
		fields.Set("institution_id", w.params.InstitutionID)
		return fields, nil
	case "CREDENTIAL", "OAUTH_LOGIN":
		if w.signIn++; w.signIn > 1 {
			return nil, fault.Field("password", "was refused by the bank").WithHint("in the simulator user_good with pass_good signs in")
		}
		fields.Set("username", cmp.Or(w.params.Username, "user_good"))
		fields.Set("password", cmp.Or(w.params.Password, "pass_good"))
		if p.pane == "OAUTH_LOGIN" {
			press = "allow"
		}
	case "RECAPTCHA":
		fields.Set("not_a_robot", "1")
	case "MFA":
		w.answer(p, fields)
	case "SELECT_ACCOUNT":
		if err := w.choose(p.form, fields); err != nil {
			return nil, err
		}
	case "NUMBERS":
		w.typeNumbers(fields)
	case "VERIFY_CODE", "INSTANT_MICRODEPOSIT_AUTHORIZED":
		if w.codes++; w.codes > 1 { // three wrong ones lock the account for good: only a person may try again
			return nil, fault.Field("code", "is not the one that came with the deposit").WithHint("the simulator's is ABC")
		}
		fields.Set("code", cmp.Or(w.params.Code, "ABC"))
	default:
		press = "exit"
	}
	fields.Set(press, "1")
	return fields, nil
}

// answer gives the published answers of Plaid's sandbox to a question of multi-factor authentication.
func (w *walker) answer(p *pane, fields url.Values) {
	fields.Set("mfa_code", "1234")
	for n := range inputs(p.form) {
		name, value := attr(n, "name"), attr(n, "value")
		i, isAnswer := strings.CutPrefix(name, "mfa_answer_")
		switch {
		case attr(n, "type") == "radio" && (name == "mfa_device" || isAnswer):
			// Of a choice the first is the right one: Yes, or the answer that ends in 0.
			if fields.Get(name) == "" {
				fields.Set(name, value)
			}
		case isAnswer:
			fields.Set(name, fmt.Sprintf("answer_%d_%s", w.round, i))
		}
	}
	w.round++
}

// typeNumbers types the numbers that Plaid publishes for its sandbox.
func (w *walker) typeNumbers(fields url.Values) {
	number := "1111222233330000"
	if slices.Contains(w.params.Masks, "1111") {
		number = "1111222233331111"
	}
	routing := "021000021"
	if m := w.params.Manual; m != nil {
		number, routing = m.Account.Reveal(), m.Routing.Reveal()
	}
	fields.Set("account_holder_name", "John Smith")
	fields.Set("account_type", "checking")
	fields.Set("routing_number", routing)
	fields.Set("account_number", number)
	fields.Set("account_number_confirm", number)
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
			single = cmp.Or(single, attr(n, "value"))
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
	within, cancel := context.WithTimeout(ctx, paneTimeout)
	defer cancel()
	resp, err := w.http.Do(req.WithContext(within))
	if err != nil {
		return nil, unreachable(ctx, err)
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
	root, err := html.Parse(io.LimitReader(resp.Body, maxPane))
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

// unreachable is a pane that could not be had.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Unavailable, "the call was given up before the hosted page was done").Because(ctx.Err())
	}
	return fault.New(fault.PlaidError, "the simulator's hosted page could not be reached").WithHint("is the simulator running? try again").Because(err)
}
