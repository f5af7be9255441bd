package core

import "context"

// May decides as an act would, for the table of roles and operations.
func May(p *Portal, actor Actor, op Operation, target string) error {
	_, err := p.base.look(context.Background(), actor, func(t *txn) error { return t.may(op, target) })
	return err
}
