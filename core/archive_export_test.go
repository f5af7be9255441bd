package core

import (
	"context"
	"time"

	"postern/store"
)

// ArchivedTables returns the names of the tables that parts of an archive are of.
func ArchivedTables() []string {
	var out []string
	for _, p := range archiveParts {
		for _, t := range p.tables {
			prefix := string(t.Prefix())
			end := 0
			for end < len(prefix) && (prefix[end] == '_' || prefix[end] >= 'a' && prefix[end] <= 'z') {
				end++
			}
			out = append(out, prefix[:end])
		}
	}
	return out
}

// PutPost writes a post as a run would have left it.
func PutPost(ctx context.Context, p *Portal, post Post) error {
	return p.base.db.Update(ctx, func(tx store.Tx) error { return posts.Put(tx, post.ID, post) })
}

// PutInactive writes the warning that an account goes.
func PutInactive(ctx context.Context, p *Portal, account string, at, until time.Time) error {
	return p.base.db.Update(ctx, func(tx store.Tx) error {
		return inactiveWarnings.Put(tx, account, inactiveWarning{At: at, Until: until})
	})
}
