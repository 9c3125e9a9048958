// Package aaterm keeps bubbletea from asking the terminal for its background colour when it is merely linked: on a
// terminal that does not answer, every command would hang for 5 s. Go initialises packages in the order of their import
// paths, so this one must sort before bubbletea's; nothing may use adaptive colours, which would always be the dark ones.
package aaterm

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
