package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// forms are the ways in which a text is searched for: as it is, encoded, turned around, and in groups of four.
func forms(s string) [][]byte {
	all := [][]byte{[]byte(s), []byte(hex.EncodeToString([]byte(s))), []byte(strings.ToUpper(hex.EncodeToString([]byte(s)))), []byte(url.QueryEscape(s))}
	// Base64 of a text within another text has three forms; the characters at the ends mix with what stands beside it.
	for pad := range 3 {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", pad) + s))
		from := []int{0, 2, 3}[pad]
		all = append(all, []byte(enc[from:len(enc)/4*4-4]))
	}
	back := []rune(s)
	slices.Reverse(back)
	all = append(all, []byte(string(back)))
	var groups, wide []byte
	for i := range len(s) {
		if i > 0 && i%4 == 0 {
			groups = append(groups, ' ')
		}
		groups = append(groups, s[i])
		wide = append(wide, s[i], 0)
	}
	return append(all, groups, wide)
}

// unseen asserts that none of the secrets stands in b.
func (p *probe) unseen(b []byte, where string, secrets ...string) {
	p.need(len(secrets) > 0, "nothing to search for")
	for _, s := range secrets {
		if len(s) < 8 {
			continue
		}
		found := slices.ContainsFunc(forms(s), func(f []byte) bool { return bytes.Contains(b, f) })
		p.want(!found, "%s… stands %s", s[:4], where)
	}
}

// secrets are all numbers and tokens of this run.
func (p *probe) secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{platypusNumber, "1111222233331111", "1111222233339002", platypusRouting, customNumber, customSavings, customRouting}, p.typed...)
}

func (p *probe) everythingHeard() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(bytes.Clone(p.heard.Bytes()), p.falsely()...)
}

// falsely is what a lie of leaking replies adds.
func (w *world) falsely() []byte {
	if w.lie == nil {
		return nil
	}
	return w.lie(reply{raw: []byte("{}")}).raw
}

// disk returns every byte of the files that bankd and bankctl write, and of bankd's log.
func (p *probe) disk() []byte {
	var all []byte
	for _, root := range []string{"home", "run", "bankd.log"} {
		err := filepath.WalkDir(p.path(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(path)
			all = append(append(all, b...), '\n')
			return err
		})
		p.need(err == nil || errors.Is(err, fs.ErrNotExist), "reading the files: %v", err)
	}
	p.need(len(all) > 1<<16, "only %d bytes on disk", len(all))
	return append(all, p.falsely()...)
}

func (p *probe) dataDir() string { return p.path("home/.local/state/bankd/simulated") }
func (p *probe) keyFile() string { return p.path("home/.config/bankd/kek") }

// trail returns the audit records of an action, newest first.
func (p *probe) trail(query string) reply {
	return p.ok(p.get(p.admin, api+"/admin/audit?limit=200&"+query))
}

var securityChecks = []check{
	{102, "numbers are sealed on disk, under a key that is kept apart (what a black box can see of envelope encryption)", func(p *probe) {
		p.unseen(p.disk(), "on disk", p.secrets()...)
		key, err := os.ReadFile(p.keyFile())
		p.need(err == nil, "the key file: %v", err)
		info, _ := os.Stat(p.keyFile())
		p.same("the key file's mode", info.Mode().Perm(), fs.FileMode(0o600))
		lines := strings.Fields(string(key))
		raw, err := base64.StdEncoding.DecodeString(lines[len(lines)-1])
		p.want(err == nil && len(raw) == 32, "the key is %d bytes, not AES-256's 32: %v", len(raw), err)
		db, err := os.ReadFile(filepath.Join(p.dataDir(), "bankd.db"))
		p.need(err == nil, "the database: %v", err)
		p.want(!bytes.Contains(db, raw) && !bytes.Contains(db, []byte(lines[len(lines)-1])), "the key stands in the database")
		// A copy of the database opens with its key, and neither without one nor with another.
		p.same("a copy with its key", p.opens(db, key), true)
		p.same("a copy without a key", p.opens(db, nil), false)
		other := bytes.Replace(key, []byte(lines[len(lines)-1]), []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))), 1)
		p.same("a copy with another key", p.opens(db, other), false)
	}},
	{103, "credentials are in no reply, no output of bankctl and no log", func(p *probe) {
		p.unseen(p.everythingHeard(), "in what bankd and bankctl said", p.secrets()...)
		log, err := os.ReadFile(p.path("bankd.log"))
		p.need(err == nil && len(log) > 10_000, "the log: %v", err)
		p.unseen(append(log, p.falsely()...), "in the log", p.secrets()...)
		p.want(!bytes.Contains(p.everythingHeard(), []byte("access-sandbox-")), "one of Plaid's access tokens is in a reply")
	}},
	{104, "all bank operations are logged", func(p *probe) {
		c := p.platypus()
		a := p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data._id")
		p.ok(p.patch(p.op, api+"/bank-accounts/"+a, object{"name": "x"}))
		p.ok(p.patch(p.op, api+"/bank-accounts/"+a+"/default", object{"primary": true}))
		p.ok(p.delete(p.op, api+"/bank-accounts/"+a))
		h := p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data._id")
		p.ok(p.patch(p.op, api+"/bank-accounts/ach/"+h, object{"nickname": "x"}))
		p.ok(p.delete(p.op, api+"/bank-accounts/ach/"+h))
		f := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))).text("data._id")
		p.ok(p.post(p.op, api+"/plaid/link-token/update", object{"user_id": "u", "item_id": c.item}))
		p.ok(p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": c.item}))
		p.ok(p.post(p.op, api+"/plaid/balance", object{"plaid_item_id": c.item}))
		p.ok(p.delete(p.op, api+"/plaid/connections/"+c.id+"?ach=disable"))
		r := p.trail("client_id=" + p.op.ID)
		seen := map[string]int{}
		for _, o := range r.column("data", "object") {
			seen[o]++
		}
		for id, n := range map[string]int{"bank_account:" + a: 4, "ach:" + h: 3, "ach:" + f: 1, "connection:" + c.id: 4} {
			kind, _, _ := strings.Cut(id, ":")
			total := 0
			for o, m := range seen {
				if strings.HasSuffix(o, id[len(kind):]) {
					total += m
				}
			}
			p.want(total >= n, "%d records of %s, not %d or more", total, id, n)
		}
		for _, o := range r.column("data", "outcome") {
			p.same("outcome", o, "ok")
		}
		p.want(len(r.list("data")) >= 14, "%d records", len(r.list("data")))
		p.refused(p.post(p.narrow(p.id("emp")), api+"/bank-accounts", p.manualAccount()), 403)
		out, errs, code := p.ctl("audit", "verify", "-o", "json")
		p.want(code == 0 && strings.Contains(out, `"intact": true`), "audit verify: %d %s%s", code, out, errs)
	}},
	{105, "the audit log has no sensitive data", func(p *probe) {
		var all []byte
		before := ""
		for range 100 {
			r := p.ok(p.get(p.admin, api+"/admin/audit?limit=200"+before))
			rows := r.column("data", "seq")
			if len(rows) == 0 {
				break
			}
			all = append(all, r.raw...)
			before = "&before=" + rows[len(rows)-1]
		}
		p.want(bytes.Count(all, []byte(`"seq"`)) > 10, "only %d records", bytes.Count(all, []byte(`"seq"`)))
		p.unseen(all, "in the audit log", p.secrets()...)
		for _, word := range []string{"access-sandbox-", "public-sandbox-", "bankd_test_sec_", "bankd-handle-"} {
			p.want(!bytes.Contains(all, []byte(word)), "%s stands in the audit log", word)
		}
	}},
	{106, "Plaid's access tokens are sealed on disk", func(p *probe) {
		public := p.plaid("/sandbox/public_token/create", object{"institution_id": "ins_109511", "initial_products": []string{"auth"}}).text("public_token")
		token := p.plaid("/item/public_token/exchange", object{"public_token": public}).text("access_token")
		p.need(strings.HasPrefix(token, "access-sandbox-"), "Plaid's token is %q", token)
		r := p.ok(p.post(p.op, api+"/plaid/import", object{"access_token": token, "user_id": "u", "employer_id": p.id("emp"), "keep_token": true}))
		p.ok(p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": r.text("data.item_id")}))
		p.hide(token)
		p.unseen(p.disk(), "on disk", token)
		p.want(!bytes.Contains(p.disk(), []byte("access-sandbox-")), "one of Plaid's access tokens is on disk")
		p.unseen(p.everythingHeard(), "in a reply", token)
	}},
	{107, "a caller reaches its own tenant alone", func(p *probe) {
		c := p.platypus()
		ach := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))).text("data._id")
		p.unreachable(p.someoneElse(), c, ach)
		s := p.session(p.op, object{"user_id": "u", "employer_id": c.owner}, object{"institution_id": "ins_109511"})
		p.refused(p.post(p.someoneElse(), api+"/plaid/exchange", object{"user_id": "u", "employer_id": c.owner, "public_token": s.text("data.public_token")}), 422, "public_token")
		p.refused(p.get(client{}, api+"/bank-accounts"), 401)
	}},
	{108, "a caller reaches accounts of employers and carriers in its scope alone", func(p *probe) {
		c := p.platypus()
		ach := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))).text("data._id")
		mine := p.id("emp")
		by := p.narrow(mine)
		p.unreachable(by, c, ach)
		p.refused(p.post(by, api+"/bank-accounts", p.manualAccount()), 403)
		p.refused(p.post(by, api+"/bank-accounts/ach", p.manualACH()), 403)
		p.refused(p.post(by, api+"/bank-accounts/ach", but(p.manualACH(), "owner_type", "carrier", "owner_id", mine)), 403)
		own := p.ok(p.post(by, api+"/bank-accounts", but(p.manualAccount(), "employer_id", mine))).text("data._id")
		p.same("its own accounts", p.ok(p.get(by, api+"/bank-accounts")).column("data", "_id"), []string{own})
		p.ok(p.get(by, api+"/bank-accounts/"+own))
		viewer := p.client(clientSpec{Name: "viewer", Role: "viewer", Employers: c.owner})
		p.ok(p.get(viewer, api+"/bank-accounts/"+c.bankAccount("0")))
		p.refused(p.patch(viewer, api+"/bank-accounts/"+c.bankAccount("0"), object{"name": "x"}), 403)
	}},
}

// unreachable asserts that a client sees and changes nothing of a connection and an ACH account made from it.
func (p *probe) unreachable(by client, c conn, ach string) {
	account := c.bankAccount("0")
	txn := p.ok(p.get(p.op, txns+"?limit=1&employer_id="+p.rows().owner)).text("data.0._id")
	for _, path := range []string{"/bank-accounts/" + account, "/bank-accounts/ach/" + ach, "/plaid/connections/" + c.id, "/plaid/connections/" + c.item, "/plaid/link-sessions/" + c.session, "/plaid/transactions/" + txn} {
		p.refused(p.get(by, api+path), 404)
	}
	p.refused(p.patch(by, api+"/bank-accounts/"+account, object{"name": "x"}), 404)
	p.refused(p.patch(by, api+"/bank-accounts/"+account+"/default", object{"primary": true}), 404)
	p.refused(p.patch(by, api+"/bank-accounts/ach/"+ach, object{"nickname": "x"}), 404)
	for _, path := range []string{"/bank-accounts/" + account, "/bank-accounts/ach/" + ach, "/plaid/connections/" + c.id} {
		p.refused(p.delete(by, api+path), 404)
	}
	for path, body := range map[string]object{
		"/plaid/sync-accounts": {"item_id": c.item}, "/plaid/balance": {"plaid_item_id": c.item}, "/plaid/link-token/update": {"user_id": "u", "item_id": c.item},
		"/plaid/transactions/sync": {"item_id": c.item}, "/bank-accounts/ach/" + ach + "/processor-token": {"processor": "dwolla"},
	} {
		r := p.post(by, api+path, body)
		p.want(r.status == 404 || r.status == 422, "%s", r)
	}
	r := p.post(by, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))
	p.want(slices.Contains([]int{403, 404, 422}, r.status), "%s", r)
	for _, path := range []string{"/bank-accounts", "/bank-accounts/ach", "/plaid/connections", "/plaid/transactions"} {
		for _, filter := range []string{"", "&employer_id=" + c.owner} {
			l := p.ok(p.get(by, api+path+"?limit=200"+filter))
			for _, id := range []string{c.id, c.item, account, ach, c.owner} {
				p.want(!strings.Contains(string(l.raw), `"`+id+`"`), "%s shows %s", l.call, id)
			}
		}
	}
	sum := p.ok(p.get(by, txns+"/summary?employer_id="+p.rows().owner))
	p.same("the sum of another's rows", sum.text("data.total_transactions"), "0")
	p.same("the account's name still", p.ok(p.get(p.op, api+"/bank-accounts/"+account)).text("data.name"), "Plaid Checking")
}

// opens reports whether bankd starts on a copy of the database with a key.
func (p *probe) opens(db, key []byte) bool {
	dir, err := os.MkdirTemp(p.dir, "copy")
	p.need(err == nil, "%v", err)
	defer os.RemoveAll(dir)
	data, keyFile := filepath.Join(dir, "data"), filepath.Join(dir, "kek")
	p.need(os.Mkdir(data, 0o700) == nil, "no directory")
	p.need(os.WriteFile(filepath.Join(data, "bankd.db"), db, 0o600) == nil, "no copy")
	if key != nil {
		p.need(os.WriteFile(keyFile, key, 0o600) == nil, "no key")
	}
	c, _, err := p.spawn("copy", p.env("cold", "cold"), "--data-dir", data, "--key-file", keyFile, "--socket", filepath.Join(dir, "s"), "--plaid-url", "http://"+p.simAddr)
	if err != nil {
		return false
	}
	_ = c.end()
	return true
}

// route is one line of /openapi.json.
type route struct {
	method, path string
	open         bool // needs no client
	params       []param
	body         map[string]any // the schema's properties
}

type param struct{ name, in string }

// filled puts a value for every parameter of the path.
func (r route) filled(v string) string {
	path := r.path
	for {
		i := strings.IndexByte(path, '{')
		if i < 0 {
			return path
		}
		path = path[:i] + v + path[i+strings.IndexByte(path[i:], '}')+1:]
	}
}

// routes reads /openapi.json.
func (p *probe) routes() []route {
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			Security    []any
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Ref        string `json:"$ref"`
						Properties map[string]any
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	r := p.honest(func() reply { return p.ok(p.get(client{}, "/openapi.json")) })
	p.need(json.Unmarshal(r.raw, &doc) == nil, "/openapi.json is no JSON")
	var all []route
	for path, methods := range doc.Paths {
		for method, o := range methods {
			at := route{method: strings.ToUpper(method), path: path, open: len(o.Security) == 0}
			for _, q := range o.Parameters {
				at.params = append(at.params, param{q.Name, q.In})
			}
			for _, c := range o.RequestBody.Content {
				at.body = c.Schema.Properties
				if _, name, is := strings.Cut(c.Schema.Ref, "schemas/"); is {
					at.body = doc.Components.Schemas[name].Properties
				}
			}
			all = append(all, at)
		}
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	p.need(len(all) > 50, "%d routes", len(all))
	return all
}
