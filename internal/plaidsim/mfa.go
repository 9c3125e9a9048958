package plaidsim

import (
	"fmt"
	"strings"
)

// mfaQuestion is one question of a round. Without choices it takes free text.
type mfaQuestion struct {
	Field, Label string
	Choices      []string
	answer       string
}

// questions lists the questions of the session's current round.
func (ss *session) questions() []mfaQuestion {
	switch ss.MFA.Kind {
	case "device":
		if !ss.Device {
			return []mfaQuestion{{Field: "mfa_device", Label: "Where should the code be sent?",
				Choices: []string{"Text message to xxx-xxx-5309", "Email to a*****@example.com"}}}
		}
		return []mfaQuestion{{Field: "mfa_code", Label: "Enter the code that was sent to you", answer: "1234"}}
	case "questions":
		return ss.asked(func(i int) mfaQuestion {
			return mfaQuestion{Label: fmt.Sprintf("You say tomato, I say...? (%d of round %d)", i+1, ss.Round+1), answer: fmt.Sprintf("answer_%d_%d", ss.Round, i)}
		})
	case "selections":
		return ss.asked(func(i int) mfaQuestion { return ss.selection(i) })
	}
	return nil
}

func (ss *session) asked(ask func(int) mfaQuestion) []mfaQuestion {
	var out []mfaQuestion
	for i := range ss.MFA.Each {
		q := ask(i)
		q.Field = fmt.Sprintf("mfa_answer_%d", i)
		out = append(out, q)
	}
	return out
}

func (ss *session) selection(i int) mfaQuestion {
	if ss.MFA.Of == 0 {
		return mfaQuestion{Label: "Is this device yours?", Choices: []string{"Yes", "No"}, answer: "Yes"}
	}
	q := mfaQuestion{Label: fmt.Sprintf("Choose the right answer (question %d of round %d)", i+1, ss.Round+1), answer: fmt.Sprintf("answer_%d_%d_0", ss.Round, i)}
	for o := range ss.MFA.Of {
		q.Choices = append(q.Choices, fmt.Sprintf("answer_%d_%d_%d", ss.Round, i, o))
	}
	return q
}

func (ss *session) mfaType() string {
	if ss.MFA.Kind == "device" && ss.Device {
		return "code"
	}
	return ss.MFA.Kind
}

func (w *formPost) mfa() {
	w.s.emit(w.ss, w.now, "SUBMIT_MFA", "mfa_type", w.ss.mfaType())
	w.ss.Problem, w.ss.Notice = "", ""
	for _, q := range w.ss.questions() {
		given := strings.TrimSpace(w.form.Get(q.Field))
		if given == "" {
			w.ss.Notice = "Answer every question."
			return
		}
		if q.answer != "" && given != q.answer {
			w.s.fail(w.ss, w.now, loginError("INVALID_MFA"), true)
			return
		}
	}
	if w.ss.MFA.Kind == "device" && !w.ss.Device {
		w.ss.Device = true
		return
	}
	w.ss.Round++
	if w.ss.Round < w.ss.MFA.Rounds {
		return
	}
	w.s.emit(w.ss, w.now, "TRANSITION_VIEW", "view_name", "LOADING")
	w.loggedIn()
}
