// Package page owns the numbers of a listing's pages. The caller decides what is listed and in which order.
package page

import (
	"fmt"

	"github.com/bankctl/bankctl/internal/fault"
)

// Limits of a page (A23).
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Request asks for one page; zero values stand for the defaults.
type Request struct {
	Page  int `query:"page" min:"1" doc:"which page" flag:"-"`
	Limit int `query:"limit" min:"1" max:"200" doc:"rows of a page, 50 where left out" flag:"-"`
}

// Info is the "pagination" of a reply.
type Info struct {
	Page  int `json:"page"`
	Limit int `json:"limit"`
	Total int `json:"total"`
	Pages int `json:"pages"`
}

// Check sets the defaults and records values out of range.
func (r *Request) Check(bad *fault.Problems) {
	if r.Page == 0 {
		r.Page = 1
	}
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	if r.Page < 1 {
		bad.Add("page", "must be a whole number from 1")
	}
	if r.Limit < 1 || r.Limit > MaxLimit {
		bad.Add("limit", fmt.Sprintf("must be a whole number from 1 to %d", MaxLimit))
	}
}

// Of cuts the asked page out of the whole.
func Of[T any](all []T, r Request) ([]T, Info) {
	info := Info{Page: r.Page, Limit: r.Limit, Total: len(all), Pages: (len(all) + r.Limit - 1) / r.Limit}
	if r.Page > info.Pages {
		return []T{}, info
	}
	from := (r.Page - 1) * r.Limit
	return all[from:min(from+r.Limit, len(all))], info
}
