package core

// RecoveryCode is how a recovery code that was typed is read.
func RecoveryCode(typed string) string { return recoveryCode(typed) }
