package mail

import "time"

// SetIdle changes how long a connection is kept. Tests do not wait for seconds.
func SetIdle(s *Sender, d time.Duration) { s.idle = d }
