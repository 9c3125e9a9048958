package server

import "reflect"

// Line is a line of the table of routes, for tests over all of them.
type Line struct {
	Method, Path, Name, Act string
	Body                    reflect.Type
}

// Table lists every route.
func Table() []Line {
	var lines []Line
	for _, r := range (&Server{}).table() {
		lines = append(lines, Line{r.Method, r.Path, r.Name, string(r.Act), r.Body})
	}
	return lines
}
