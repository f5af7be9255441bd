package core

// CleanLines validates a text of several lines, as that of an agreement is.
func CleanLines(s string, most int) (string, error) { return cleanLines("text", s, most) }
