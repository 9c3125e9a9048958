package plaidsim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// eventsPath is the simulator's own: it takes no credentials, and rate limits and faults do not apply to it.
const eventsPath = "/simulator/events"

// serveEvents calls ApplyEvent for other processes. It refuses browsers, which send an Origin with every POST.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	switch {
	case len(r.Header.Values("Origin")) > 0:
		refuseEvent(w, http.StatusForbidden, errors.New("event: pages may not send any"))
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuseEvent(w, http.StatusMethodNotAllowed, errors.New("event: the method must be POST"))
		return
	}
	e, err := decodeEvent(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = s.ApplyEvent(e)
	}
	var wrong *EventError
	switch {
	case errors.As(err, &wrong):
		refuseEvent(w, http.StatusBadRequest, err)
	case err != nil:
		s.log.Error("simulated event", "error", err)
		refuseEvent(w, http.StatusInternalServerError, errors.New("event: the simulator cannot save its state"))
	default:
		writeJSON(w, http.StatusOK, obj{"ok": true})
	}
}

func refuseEvent(w http.ResponseWriter, status int, err error) {
	out := obj{"ok": false, "error": err.Error(), "kinds": EventKinds()}
	var wrong *EventError
	if errors.As(err, &wrong) {
		out["field"] = wrong.Field
	}
	writeJSON(w, status, out)
}

func decodeEvent(body io.Reader) (Event, error) {
	var in struct {
		Event
		After string `json:"after"`
	}
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return Event{}, wrongField("body", "must be one JSON object of the event's fields: %v", err)
	}
	if in.After == "" {
		return in.Event, nil
	}
	d, err := time.ParseDuration(in.After)
	if err != nil {
		return Event{}, wrongField("after", "must be a duration such as 168h")
	}
	in.Event.After = d
	return in.Event, nil
}
