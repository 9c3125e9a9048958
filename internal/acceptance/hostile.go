package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// attacker makes hostile requests as a client of narrow scope, and looks for what another owner has in every reply.
type attacker struct {
	*probe
	rand   *rand.Rand
	by     client
	routes []route
	mine   []string // ids of the attacker's own objects
	theirs []string // ids of the other owner's, which the attacker knows and asks for
	hidden []string // ids and texts of the other owner that stand in no reply
	polite bool     // whether most fields of the request at hand are right, so that it comes past the first checks
	marker string   // stands in most values of the request at hand, and must not come back with a refusal
}

// shot is one request, byte for byte.
type shot struct {
	line  string // method and target
	bytes []byte
	head  bool
}

// attack sends n requests, the same ones for the same seed, and counts the replies by status.
func (w *world) attack(n int, seed uint64, out io.Writer) int {
	p := &probe{world: w, op: w.client(clientSpec{Name: "other owner", Role: "operator", Employers: "*", Carriers: "*", Companies: "*", ActAs: true})}
	a := &attacker{probe: p, rand: rand.New(rand.NewPCG(seed, seed))}
	snapshot := a.prepare()
	before := snapshot()
	began, counts, wrong := time.Now(), map[int]int{}, 0
	fail := func(s shot, what string, raw []byte) {
		if wrong++; wrong <= 30 {
			fmt.Fprintf(out, "%s: %s\n\tsent %.600q\n\tgot %.600q\n", s.line, what, s.bytes, raw)
		}
	}
	for i := range n {
		a.marker = fmt.Sprintf("mk%sq", strings.Map(func(r rune) rune { return r - '0' + 'g' }, fmt.Sprintf("%06d", i)))
		s := a.shot()
		status, raw := a.fire(s)
		counts[status]++
		switch {
		case status == 0:
			fail(s, "no reply", raw)
		case status == http.StatusNotImplemented && bytes.Contains(s.bytes, []byte("\r\nTransfer-Encoding: ")):
			// RFC 9112, 6.1: the right answer to a coding that the server does not know.
		case status >= 500:
			fail(s, "a failure of the daemon's", raw)
		case status >= 400 && bytes.Contains(bytes.ToLower(raw), []byte(a.marker)):
			fail(s, "a value is echoed", raw)
		}
		for _, h := range a.hidden {
			if bytes.Contains(raw, []byte(h)) {
				fail(s, "another owner's "+h, raw)
				break
			}
		}
	}
	if after := snapshot(); after != before {
		wrong++
		fmt.Fprintf(out, "the other owner's objects have changed:\n%s\n%s\n", before, after)
	}
	if log, err := os.ReadFile(w.path("bankd.log")); err != nil || len(log) < 100*min(n, 100) {
		wrong++
		fmt.Fprintf(out, "the log has %d bytes: %v\n", len(log), err)
	} else if found := markers.FindAll(log, -1); len(found) > 0 {
		wrong += len(found)
		at := bytes.Index(log, found[0])
		fmt.Fprintf(out, "%d values stand in the log, the first here: %q\n", len(found), log[max(0, at-300):min(len(log), at+100)])
	}
	if got, raw := a.fire(shot{line: "GET /healthz", bytes: []byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")}); got != 200 {
		wrong++
		fmt.Fprintf(out, "/healthz answers %d afterwards: %s\n", got, raw)
	}
	var statuses []int
	for s := range counts {
		statuses = append(statuses, s)
	}
	slices.Sort(statuses)
	for _, s := range statuses {
		fmt.Fprintf(out, "%3d %6d\n", s, counts[s])
	}
	fmt.Fprintf(out, "%d requests to %d routes with seed %d in %s\n%d wrong\n", n, len(a.routes), seed, time.Since(began).Round(time.Second), wrong)
	if wrong > 0 {
		return 1
	}
	return 0
}

// prepare makes both owners' objects. The function that it returns reads the other owner's again.
func (a *attacker) prepare() func() string {
	a.routes = a.probe.routes()
	c := a.link(a.op, "employer_id", "vexemployer", object{"institution_id": platypus})
	ach := a.ok(a.post(a.op, api+"/bank-accounts/ach/from-plaid", but(a.fromPlaid(c), "nickname", "vexnickname"))).text("data._id")
	manual := a.ok(a.post(a.op, api+"/bank-accounts", object{"user_id": "vexuser", "name": "vexname", "bank_name": "vexbank", "carrier_id": "vexcarrier"})).text("data._id")
	a.synced(c, 10)
	txn := a.ok(a.get(a.op, txns+"?limit=1&employer_id="+c.owner))
	e := employee{"vexcompany", "vexemployee", "/companies/vexcompany/employees/vexemployee"}
	a.ok(a.call(a.admin, http.MethodPut, api+"/admin/companies/"+e.company+"/capabilities/PLAID_VERIFY", nil))
	acc := a.added(e, but(typed(), "accountHolderName", "Vexholder Vexname"))
	open := a.ok(a.get(a.op, e.path+"/plaid/"+acc+"/token?hosted=true"))
	a.theirs = []string{c.id, c.item, c.session, c.public, c.handle, c.account("0"), c.bankAccount("0"), c.bankAccount("1"), ach, manual, acc,
		txn.text("data.0._id"), txn.text("data.0.plaid_transaction_id"), open.text("sessionId"), "vexemployer", "vexcarrier", "vexcompany", "vexemployee"}
	a.hidden = slices.Concat(a.theirs, []string{"vexnickname", "vexuser", "vexname", "vexbank", "Vexholder", open.text("linkToken"), open.text("hostedLinkUrl"), platypusNumber, "access-sandbox-"})
	for _, id := range a.theirs {
		a.need(len(id) > 6, "an id of the other owner is %q", id)
	}

	a.ok(a.call(a.admin, http.MethodPut, api+"/admin/companies/mycompany/capabilities/PLAID_VERIFY", nil))
	a.by = a.client(clientSpec{Name: "narrow", Role: "operator", Employers: "myemployer", Carriers: "mycarrier", Companies: "mycompany", ActAs: true})
	own := a.link(a.by, "employer_id", "myemployer", object{"institution_id": "ins_109511"})
	h := a.ok(a.post(a.by, api+"/bank-accounts/ach", but(a.manualACH(), "owner_id", "myemployer"))).text("data._id")
	b := a.ok(a.post(a.by, api+"/bank-accounts", but(a.manualAccount(), "employer_id", "myemployer"))).text("data._id")
	me := a.ok(a.post(a.by, "/companies/mycompany/employees/me/bankaccounts", but(typed(), "accountNumber", a.number()))).text("accountId")
	a.mine = []string{own.id, own.item, own.session, own.account("0"), own.bankAccount("0"), h, b, me, "myemployer", "mycarrier", "mycompany", "me"}
	return func() string {
		var all strings.Builder
		for _, path := range []string{api + "/plaid/connections/" + c.id, api + "/bank-accounts/ach/" + ach, api + "/bank-accounts/" + manual, api + "/bank-accounts/" + c.bankAccount("0"),
			api + "/bank-accounts?employer_id=vexemployer", api + "/plaid/link-sessions/" + open.text("sessionId"), e.path + "/bankaccounts/" + acc} {
			all.WriteString(string(a.get(a.op, path).raw))
		}
		return all.String()
	}
}

// markers finds the markers of all requests.
var markers = regexp.MustCompile(`(?i)mk[g-p]{6}q`)

func pick[T any](a *attacker, of ...T) T { return of[a.rand.IntN(len(of))] }

// value is a hostile text.
func (a *attacker) value() string {
	m := a.marker
	return pick(a, m, "", " ", m+"\x00", "\u202e"+m, m+"\u0000\u0001", strings.Repeat(m, 2000), m+"' OR 1=1 --", "../../"+m, "${"+m+"}", "{{"+m+"}}", "<script>"+m+"</script>", "\xff\xfe"+m,
		"𝟘𝟙𝟚"+m, "é̂"+m, "-1", "0", "9223372036854775808", "1e999", "NaN", "true", "null", "[]", "*", "none", "2026-02-30", "0000-00-00", "9999-12-31", "٠٢١", "+1", "0x10", "1_000", m+"\r\nX-Evil: "+m, "021000021", strings.Repeat("f", 24))
}

// id is an id of either owner, or near one, or none at all.
func (a *attacker) id() string {
	switch a.rand.IntN(8) {
	case 0, 1, 2:
		return pick(a, a.theirs...)
	case 3:
		return pick(a, a.mine...)
	case 4:
		return strings.ToUpper(pick(a, a.theirs...))
	case 5:
		id := pick(a, a.theirs...)
		return id[:1+a.rand.IntN(len(id)-1)]
	case 6:
		return pick(a, a.theirs...) + pick(a, "\x00", " ", "/", "?", "%00", ".", "\u200b")
	default:
		return a.value()
	}
}

// namesObject reports whether a field or parameter takes an id that is looked up, and is not kept as a text of the
// caller's own.
func namesObject(name string) bool {
	lower := strings.ToLower(name)
	return (strings.HasSuffix(lower, "id") || strings.HasSuffix(lower, "token")) && name != "user_id" && name != "institution_id" && name != "institutionId"
}

// shot makes one request.
func (a *attacker) shot() shot {
	r := pick(a, a.routes...)
	a.polite = a.rand.IntN(2) == 0
	method, target := r.method, a.target(r)
	if a.rand.IntN(12) == 0 {
		method = pick(a, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "G E T", "X"+strings.ToUpper(a.marker))
	}
	if q := a.query(r); q != "" {
		target += "?" + q
	}
	var body []byte
	if method != "GET" && method != "HEAD" || a.rand.IntN(20) == 0 {
		body = a.body(r)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nConnection: close\r\n", method, target)
	// The credentials are always whole: without them a peer of the daemon's own uid is the local owner.
	fmt.Fprintf(&b, "Host: %s\r\nX-Client-ID: %s\r\nX-Client-Secret: %s\r\n", a.host(), a.by.ID, a.by.Secret)
	if a.rand.IntN(6) == 0 {
		b.WriteString(a.header())
	}
	if len(body) > 0 || method == "POST" || method == "PATCH" || method == "PUT" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return shot{line: method + " " + target[:min(len(target), 120)], bytes: b.Bytes(), head: method == "HEAD"}
}

func (a *attacker) host() string {
	if a.rand.IntN(40) == 0 {
		return pick(a, a.marker+".example", "", "127.0.0.1", "localhost:80", "bankd")
	}
	return "localhost"
}

func (a *attacker) header() string {
	m := a.marker
	return pick(a,
		"Content-Type: "+m+"\r\n", "Content-Type: application/xml\r\n", "Origin: http://"+m+"\r\n", "Referer: "+m+"\r\n", "Idempotency-Key: "+m+"\r\n", "Idempotency-Key: \r\n",
		"Idempotency-Key: "+strings.Repeat(m, 100)+"\r\n", "X-Request-ID: <"+m+">\r\n", "X-Request-ID: "+strings.Repeat(m, 30)+"\r\n", "X-Client-ID: "+m+"\r\n", "X-Client-Secret: "+m+"\r\n", "X-HTTP-Method-Override: DELETE\r\n", "X-Forwarded-For: "+m+"\r\n",
		"Accept: "+m+"\r\n", "Accept-Encoding: gzip;q="+m+"\r\n", "Range: bytes=0-1,"+m+"\r\n", "Expect: "+m+"\r\n", "Cookie: "+strings.Repeat(m, 300)+"\r\n", "X-Evil: \xff\xfe"+m+"\r\n",
		m+"\r\n", "X-"+m+" : x\r\n", "If-None-Match: *\r\n", "Content-Encoding: gzip\r\n", "X-Tenant: other\r\n", "Transfer-Encoding: "+m+"\r\n")
}

// target is a route's path with hostile ids, or a path that is near one.
func (a *attacker) target(r route) string {
	path := r.path
	for {
		i := strings.IndexByte(path, '{')
		if i < 0 {
			break
		}
		id := a.id()
		if a.rand.IntN(10) > 0 {
			id = url.PathEscape(id)
		} else {
			id = strings.NewReplacer(" ", "%20", "\r", "%0d", "\n", "%0a", "\x00", "%00").Replace(id)
		}
		path = path[:i] + id + path[i+strings.IndexByte(path[i:], '}')+1:]
	}
	switch a.rand.IntN(100) {
	case 0:
		return path + "/"
	case 1:
		return strings.Replace(path, "/", "//", 1)
	case 2:
		return strings.Replace(path, "/api/v1/", "/api/v1/../v1/", 1)
	case 3:
		return strings.Replace(path, "/", "/%2e%2e/", 1)
	case 4:
		return path + "/.." + path
	case 5:
		return path + ";" + a.marker + "=1"
	case 6:
		return path + "%2f" + a.marker
	case 7:
		return strings.ToUpper(path)
	case 8:
		return path + "%00"
	case 9:
		return path + "%zz" + a.marker
	case 10:
		return "http://" + a.marker + path
	case 11:
		return path + "/" + strings.Repeat(a.marker, 500)
	}
	return path
}

// query is a hostile query: the route's own parameters with wrong values, each given once or more, and what is no query.
func (a *attacker) query(r route) string {
	var names []string
	for _, q := range r.params {
		if q.in == "query" && q.name != "wait" { // a wait that is right holds up the attack
			names = append(names, q.name)
		}
	}
	var parts []string
	for range max(0, a.rand.IntN(7)-3) {
		name := pick(a, append(names, "page", "limit", "nonsense", "employer_id", "owner_id", "784519306217")...)
		value := a.value()
		if namesObject(name) {
			value = a.id()
		}
		part := url.QueryEscape(name) + "=" + url.QueryEscape(value)
		parts = append(parts, part)
		if a.rand.IntN(8) == 0 {
			parts = append(parts, part)
		}
	}
	if a.rand.IntN(12) == 0 {
		m := a.marker
		parts = append(parts, pick(a, "%zz"+m, "employer_id=acme;"+m, "=", "&&&", "employer_id", "a=%"+m, "page=1&page=2", "limit=%00"+m, "%00=1", "employer_id[]="+m, strings.Repeat("a="+m+"&", 300)))
	}
	return strings.Join(parts, "&")
}

// body is a hostile body: the route's own fields with wrong values, and what is no JSON object.
func (a *attacker) body(r route) []byte {
	m := a.marker
	if a.rand.IntN(4) == 0 && !a.polite {
		return pick(a, []byte(nil), []byte("{"), []byte("null"), []byte("[]"), []byte(`"`+m+`"`), []byte("7"), []byte(m), []byte("\xef\xbb\xbf{}"), []byte(`{"user_id":"`+m), []byte(`{"`+m+`"`),
			[]byte(strings.Repeat("[", 20_000)), []byte(strings.Repeat(`{"a":`, 20_000)), []byte(`{"user_id":"u","user_id":"`+m+`"}`), []byte(`{"user_id":"\ud800`+m+`"}`), []byte("{\"user_id\":\"\xff"+m+"\"}"),
			[]byte(`{"user_id":1e999}`), []byte(`{"user_id":`+strings.Repeat("9", 5000)+`}`), []byte("user_id="+m), []byte(`{} `+m), []byte(`{"784519306217":1}`), []byte(`{"user_id":"u",}`), bytes.Repeat([]byte(m), 100_000), []byte("<a>"+m+"</a>"))
	}
	var b bytes.Buffer
	b.WriteByte('{')
	names := make([]string, 0, len(r.body))
	for name := range r.body {
		names = append(names, name)
	}
	slices.Sort(names) // a map's order would not follow from the seed
	names = append(names, "nonsense")
	first := true
	for _, name := range names {
		if a.rand.IntN(5) == 0 || name == "nonsense" && a.rand.IntN(8) > 0 {
			continue
		}
		for range 1 + a.rand.IntN(16)/15 {
			if !first {
				b.WriteByte(',')
			}
			first = false
			key, _ := json.Marshal(name)
			fmt.Fprintf(&b, "%s:%s", key, a.fieldValue(name))
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

// fieldValue is JSON for a field: often one that its route would take.
func (a *attacker) fieldValue(name string) []byte {
	text := func(s string) []byte { b, _ := json.Marshal(s); return b }
	if sane, known := saneValues[name]; known && (a.rand.IntN(2) == 0 || a.polite && a.rand.IntN(6) > 0) {
		return []byte(sane)
	}
	if namesObject(name) && a.rand.IntN(4) > 0 {
		return text(a.id())
	}
	m := a.marker
	switch a.rand.IntN(10) {
	case 0:
		return []byte("null")
	case 1:
		return []byte(pick(a, "1e999", "-1", "99999999999999999999999999", "0.1", "-0"))
	case 2:
		return []byte(pick(a, "true", "false"))
	case 3:
		return []byte(pick(a, `[]`, `{}`, `["`+m+`"]`, `{"`+name+`":"`+m+`"}`, `[null]`, `[[["`+m+`"]]]`))
	case 4:
		return []byte(`"\u0000\ud83d\ude00\u202e` + m + `"`)
	}
	return text(a.value())
}

// saneValues let hostile requests come past the first checks.
var saneValues = map[string]string{
	"user_id": `"u"`, "owner_type": `"employer"`, "owner_id": `"myemployer"`, "employer_id": `"myemployer"`, "carrier_id": `"mycarrier"`, "name": `"n"`, "bank_name": `"b"`, "account_type": `"checking"`,
	"routing_number": `"021000021"`, "account_number": `"99887766554"`, "primary": `true`, "is_primary": `true`, "connection_type": `"manual"`, "accountHolderName": `"Ann Smith"`, "accountNumber": `"99887766553"`,
	"routingNumber": `"021000021"`, "accountType": `"Checking"`, "verificationType": `"Plaid"`, "accountName": `"n"`, "institutionId": `"ins_109508"`, "institutionName": `"First Platypus Bank"`,
	"institution_id": `"ins_109508"`, "processor": `"dwolla"`, "reason": `"because"`, "role": `"admin"`, "employers": `"*"`, "hosted_link": `true`, "method": `"plaid"`, "exit": `true`,
}

// fire sends a request on a connection of its own and reads the reply.
func (a *attacker) fire(s shot) (int, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", a.socket)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, sendErr := conn.Write(s.bytes) // the daemon may refuse before it has read all
	method := http.MethodGet
	if s.head {
		method = http.MethodHead
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0, fmt.Appendf(nil, "%v; %v", err, sendErr)
	}
	defer res.Body.Close()
	var raw bytes.Buffer
	_ = res.Header.Write(&raw)
	_, _ = io.Copy(&raw, res.Body)
	return res.StatusCode, raw.Bytes()
}
