package query

import (
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads Go's form, such as 90s or 12h, and whole days and weeks: 30d, 2w.
func ParseDuration(text string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseInt(digits, 10, 16) // ninety years of days
			return time.Duration(n) * length, err
		}
	}
	return time.ParseDuration(text)
}
