package plaidsim

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
)

const maxForm = 4 * maxCustomText // a configuration grows when it is encoded as a form

// servePage answers /hl/<opaque>, which opens a session, and /hl/<opaque>/<session>, the session's current pane.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/hl/"), "/")
	switch {
	case len(parts) == 1 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		s.serveOpening(w, r, parts[0])
	case len(parts) == 2 && r.Method == http.MethodGet:
		s.servePane(w, r, parts[0], parts[1])
	case len(parts) == 2 && r.Method == http.MethodPost:
		s.serveStep(w, r, parts[0], parts[1])
	default:
		s.render(w, http.StatusNotFound, lostView())
	}
}

// linkTokenOf finds the link token of a hosted URL, or the status that says why it cannot be used. Callers hold s.mu.
func (s *Server) linkTokenOf(opaque string) (*linkToken, int) {
	lt := s.byOpaque[opaque]
	switch {
	case lt == nil:
		return nil, http.StatusNotFound
	case s.now().After(lt.Expires), s.opt.Switches.Production && lt.succeeded():
		return nil, http.StatusGone
	}
	return lt, http.StatusOK
}

func (lt *linkToken) succeeded() bool {
	for _, ss := range lt.Sessions {
		if !ss.Finished.IsZero() && ss.Exit == nil {
			return true
		}
	}
	return false
}

func (lt *linkToken) session(id string) *session {
	for _, ss := range lt.Sessions {
		if ss.ID == id {
			return ss
		}
	}
	return nil
}

func (s *Server) serveOpening(w http.ResponseWriter, r *http.Request, opaque string) {
	s.mu.Lock()
	lt, status := s.linkTokenOf(opaque)
	var target string
	if lt != nil && r.Method == http.MethodGet {
		ss := s.openSession(lt, s.now())
		s.counts["sessions"]++
		target = "/hl/" + opaque + "/" + ss.ID
	}
	s.mu.Unlock()
	switch {
	case lt == nil:
		s.render(w, status, lostView())
	case target == "":
		w.WriteHeader(http.StatusOK)
	case s.saveOrFail(w, r):
		redirect(w, target)
	}
}

// saveOrFail saves the state before the reply. If it cannot, it answers with an error and returns false.
func (s *Server) saveOrFail(w http.ResponseWriter, r *http.Request) bool {
	if err := s.flushUncancelled(r.Context()); err != nil {
		s.log.Error("plaid simulator cannot save", "error", err)
		http.Error(w, "the simulator cannot save its state", http.StatusInternalServerError)
		return false
	}
	return true
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

func (s *Server) servePane(w http.ResponseWriter, _ *http.Request, opaque, id string) {
	s.mu.Lock()
	v, status := s.paneView(opaque, id)
	s.mu.Unlock()
	s.render(w, status, v)
}

// paneView is the session's current view. An ended session can be read after its token has expired.
func (s *Server) paneView(opaque, id string) (view, int) {
	lt := s.byOpaque[opaque]
	if lt == nil || lt.session(id) == nil {
		return lostView(), http.StatusNotFound
	}
	ss := lt.session(id)
	if ss.Finished.IsZero() && s.now().After(lt.Expires) {
		return lostView(), http.StatusGone
	}
	return s.viewOf(lt, ss), http.StatusOK
}

func (s *Server) serveStep(w http.ResponseWriter, r *http.Request, opaque, id string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.render(w, http.StatusBadRequest, lostView())
		return
	}
	s.mu.Lock()
	lt := s.byOpaque[opaque]
	var ss *session
	if lt != nil {
		ss = lt.session(id)
	}
	if ss == nil || ss.Finished.IsZero() && s.now().After(lt.Expires) {
		s.mu.Unlock()
		s.render(w, http.StatusGone, lostView())
		return
	}
	target := s.step(lt, ss, r.PostForm)
	s.mu.Unlock()
	if !s.saveOrFail(w, r) {
		return
	}
	if target == "" {
		target = r.URL.Path
	}
	redirect(w, target)
}

// step handles one posted form and returns the URL to go to; "" is the same page. Callers hold s.mu.
func (s *Server) step(lt *linkToken, ss *session, form url.Values) string {
	if !ss.Finished.IsZero() {
		if form.Get("finish") != "" || form.Get("exit") != "" {
			return lt.Request.Completion
		}
		return ""
	}
	w := &formPost{s: s, lt: lt, ss: ss, form: form, now: s.now()}
	s.markChanged()
	if w.pressed("exit") {
		s.leave(lt, ss, w.now)
		return lt.Request.Completion
	}
	if do := formHandlers[ss.Pane]; do != nil {
		do(w)
	}
	return ""
}

// render writes a pane. Its policy allows no outside resources, and forms only to here and the completion address.
func (s *Server) render(w http.ResponseWriter, status int, v view) {
	v.Nonce = rand.Text()
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, "layout", v); err != nil {
		s.log.Error("render pane", "pane", v.Pane, "error", err)
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; form-action 'self'"+v.completionSource()+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// completionSource adds the caller's completion address to form-action, because browsers check redirects against it.
func (v view) completionSource() string {
	u, err := url.Parse(v.Completion)
	if err != nil || u.Scheme == "" || strings.ContainsAny(u.Host, ";,' \"") {
		return ""
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return " " + u.Scheme + "://" + u.Host
	}
	return " " + u.Scheme + ":"
}
