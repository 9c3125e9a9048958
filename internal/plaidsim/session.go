package plaidsim

import (
	"slices"
	"time"
)

// session is one opening of a hosted URL, from the first pane to its end.
type session struct {
	ID       string
	Started  time.Time
	Finished time.Time `json:",omitzero"`
	Pane     string
	Problem  string `json:",omitempty"` // error code shown on the pane
	Notice   string `json:",omitempty"` // form mistake shown on the pane
	LastErr  string `json:",omitempty"` // error code that an exit reports
	Query    string `json:",omitempty"`
	Bank     string `json:",omitempty"`
	User     string `json:",omitempty"`
	Custom   string `json:",omitempty"`
	MFA      mfaPlan
	Round    int
	Device   bool   // the user chose an MFA device
	Method   string `json:",omitempty"` // numbers flow: match, automated, same_day, instant, database
	Item     string
	Chosen   []string       // masks
	Typed    *manualAccount `json:",omitempty"`
	Tries    int
	Public   string        `json:",omitempty"`
	Accounts []linkAccount `json:",omitempty"`
	Exit     *exitState    `json:",omitempty"`
	Junk     bool          `json:",omitempty"` // nobody is behind it: no results, no end
	Events   []event
	Told     int `json:",omitempty"` // events that an EVENTS webhook has sent
}

type linkAccount struct{ ID, Name, Mask, Type, Subtype, Status string }

type exitState struct {
	Status, Error, Bank, RequestID string
}

type event struct {
	Name, ID string
	At       time.Time
	Meta     map[string]string
}

// emit adds an event; meta holds keys and values of its metadata.
func (s *Server) emit(ss *session, now time.Time, name string, meta ...string) {
	m := map[string]string{"request_id": s.ids.hex("request", 15)}
	if b := findBank(ss.Bank); b != nil {
		m["institution_id"], m["institution_name"] = b.id, b.name
	}
	for i := 0; i+1 < len(meta); i += 2 {
		m[meta[i]] = meta[i+1]
	}
	ss.Events = append(ss.Events, event{Name: name, ID: s.ids.uuid("event"), At: now, Meta: m})
	s.markChanged()
}

// show moves the session to a pane and emits the event for it, whose view name can differ from the pane's.
func (s *Server) show(ss *session, now time.Time, pane string) {
	ss.Pane, ss.Problem, ss.Notice = pane, "", ""
	s.emit(ss, now, "TRANSITION_VIEW", "view_name", viewName(pane))
}

func viewName(pane string) string {
	switch pane {
	case "VERIFY_CODE":
		return "NUMBERS"
	case "OAUTH_LOGIN":
		return "OAUTH"
	}
	return pane
}

// fail shows an error: on a pane of its own, or if again is set on the current pane.
func (s *Server) fail(ss *session, now time.Time, err *apiError, again bool) {
	s.emit(ss, now, "ERROR", "error_code", err.code, "error_type", err.typ, "error_message", err.message)
	ss.LastErr = err.code
	if !again {
		s.show(ss, now, "ERROR")
	}
	ss.Problem = err.code
}

var exitStatus = map[string]string{"MFA": "requires_code", "SELECT_ACCOUNT": "requires_account_selection",
	"OAUTH": "requires_oauth", "OAUTH_LOGIN": "requires_oauth"}

func (ss *session) status() string {
	if ss.LastErr == "INSTITUTION_NO_LONGER_SUPPORTED" {
		return "institution_not_supported"
	}
	if ss.Pane == "SELECT_INSTITUTION" && ss.Query != "" && !slices.ContainsFunc(banks(), func(b *bank) bool { return b.matches(ss.Query) }) {
		return "institution_not_found"
	}
	if ss.Pane == "MFA" {
		switch {
		case ss.MFA.Kind == "device" && !ss.Device:
			return "choose_device"
		case ss.MFA.Kind == "questions":
			return "requires_questions"
		case ss.MFA.Kind == "selections":
			return "requires_selections"
		}
	}
	if st := exitStatus[ss.Pane]; st != "" {
		return st
	}
	return "requires_credentials"
}

// leave ends the session without a result.
func (s *Server) leave(lt *linkToken, ss *session, now time.Time) {
	status := ss.status()
	ss.Exit = &exitState{Status: status, Error: ss.LastErr, Bank: ss.Bank, RequestID: s.ids.hex("request", 15)}
	s.emit(ss, now, "EXIT", "exit_status", status)
	ss.Pane, ss.Finished, ss.Problem, ss.Notice = "EXIT", now, "", ""
	ss.Custom, ss.Typed = "", nil
	s.sessionHooks(lt, ss, "EXITED")
}

// finish ends the session with its Item.
func (s *Server) finish(lt *linkToken, ss *session, it *item, now time.Time) {
	s.show(ss, now, "CONNECTED")
	s.emit(ss, now, "HANDOFF")
	ss.Finished, ss.LastErr = now, ""
	ss.Custom, ss.Typed = "", nil
	if !lt.Request.update() || s.opt.Switches.UpdatePublicToken {
		ss.Public = s.newPublicToken(it, now)
	}
	for _, a := range s.accounts(it) {
		ss.Accounts = append(ss.Accounts, linkAccount{a.id, a.name, a.mask, a.typ, a.subtype, a.status})
	}
	s.sessionHooks(lt, ss, "SUCCESS")
}

// closeAbandoned ends the open sessions of a link token.
func (s *Server) closeAbandoned(lt *linkToken) {
	for _, ss := range lt.Sessions {
		if ss.Finished.IsZero() && !ss.Junk {
			s.leave(lt, ss, lt.Expires)
		}
	}
}

func (s *Server) sessionHooks(lt *linkToken, ss *session, status string) {
	tokens := []string{}
	if ss.Public != "" {
		tokens = append(tokens, ss.Public)
		s.sendLink(lt, ss, "ITEM_ADD_RESULT", obj{"public_token": ss.Public})
	}
	s.sendLink(lt, ss, "SESSION_FINISHED", obj{"status": status, "public_tokens": tokens})
	s.tellEvents(lt, ss)
}

func (s *Server) sendLink(lt *linkToken, ss *session, code string, fields obj) {
	body := obj{"webhook_type": "LINK", "webhook_code": code, "environment": "sandbox", "link_session_id": ss.ID, "link_token": lt.Token}
	for k, v := range fields {
		body[k] = v
	}
	s.queue(lt.Request.Webhook, body)
}

func (s *Server) tellEvents(lt *linkToken, ss *session) {
	ss.Told = len(ss.Events)
	s.sendLink(lt, ss, "EVENTS", obj{"events": eventObjects(ss.Events)})
}

// abandonedAfter lies in the range that Plaid documents: 5 to 15 minutes.
const abandonedAfter = 10 * time.Minute

// announceAbandoned sends the events of abandoned sessions. If the user comes back, a later webhook sends them again
// with the new ones.
func (s *Server) announceAbandoned(now time.Time) {
	for _, lt := range s.st.Links {
		for _, ss := range lt.Sessions {
			n := len(ss.Events)
			if ss.Finished.IsZero() && n > ss.Told && now.Sub(ss.Events[n-1].At) >= abandonedAfter {
				s.tellEvents(lt, ss)
				s.markChanged()
			}
		}
	}
}

func eventObjects(events []event) []obj {
	out := []obj{}
	for _, e := range slices.Backward(events) {
		meta := obj{}
		for k, v := range e.Meta {
			meta[k] = v
		}
		out = append(out, obj{"event_name": e.Name, "event_id": e.ID, "timestamp": stamp(e.At), "event_metadata": meta})
	}
	return out
}

func (s *Server) sessionObject(ss *session) obj {
	out := obj{"link_session_id": ss.ID, "started_at": stamp(ss.Started), "finished_at": timeOrNull(ss.Finished),
		"events": eventObjects(ss.Events), "results": nil, "exit": nil}
	if !ss.Finished.IsZero() && ss.Exit == nil {
		out["results"] = s.resultObject(ss)
	}
	if ss.Exit != nil {
		out["exit"] = exitObject(ss)
	}
	if s.opt.Switches.LegacyOnSuccess {
		out["on_success"], out["on_exit"] = s.onSuccess(ss), out["exit"]
	}
	return out
}

func institutionRef(id string) any {
	if b := findBank(id); b != nil {
		return obj{"institution_id": b.id, "name": b.name}
	}
	return nil
}

func (ss *session) accountObjects() []obj {
	out := []obj{}
	for _, a := range ss.Accounts {
		out = append(out, obj{"id": a.ID, "name": a.Name, "mask": orNull(a.Mask), "type": a.Type, "subtype": a.Subtype,
			"verification_status": orNull(a.Status), "class_type": nil})
	}
	return out
}

func (s *Server) resultObject(ss *session) obj {
	added := []obj{}
	if ss.Public != "" {
		added = append(added, obj{"public_token": ss.Public, "accounts": ss.accountObjects(), "institution": institutionRef(s.resultBank(ss))})
	}
	return obj{"item_add_results": added, "cra_item_add_results": []obj{}, "bank_income_results": []obj{}, "cra_update_results": []obj{},
		"payroll_income_results": []obj{}, "document_income_results": nil}
}

// resultBank is the session's institution in results; null for Items of typed numbers.
func (s *Server) resultBank(ss *session) string {
	if it := s.st.Items[ss.Item]; it != nil {
		return it.Institution
	}
	return ss.Bank
}

func (s *Server) onSuccess(ss *session) any {
	if ss.Public == "" {
		return nil
	}
	return obj{"public_token": ss.Public, "metadata": obj{"institution": institutionRef(s.resultBank(ss)), "accounts": ss.accountObjects(),
		"link_session_id": ss.ID, "transfer_status": nil}}
}

func exitObject(ss *session) obj {
	var failure any
	if ss.Exit.Error != "" {
		failure = exitError(ss.Exit.Error).body(ss.Exit.RequestID)
	}
	return obj{"error": failure, "metadata": obj{"institution": institutionRef(ss.Exit.Bank), "status": ss.Exit.Status,
		"link_session_id": ss.ID, "request_id": ss.Exit.RequestID}}
}
