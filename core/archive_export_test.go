package core

import (
	"context"
	"reflect"
	"time"

	"postern/core/script"
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

// ArchiveShapes pairs what is kept of people with what an archive says of it.
func ArchiveShapes() map[reflect.Type]reflect.Type {
	pairs := map[reflect.Type]reflect.Type{}
	for _, p := range [][2]any{
		{Account{}, archivedAccount{}}, {Credential{}, archivedPassword{}}, {factorRecord{}, archivedFactor{}}, {LinkedKey{}, archivedKey{}},
		{recoverySet{}, archivedRecovery{}}, {enrolment{}, archivedEnrolment{}}, {sentCode{}, archivedCode{}}, {attempt{}, archivedAttempt{}},
		{sessionRecord{}, archivedSession{}}, {device{}, archivedDevice{}}, {guardRecord{}, archivedTries{}}, {Grant{}, archivedGrant{}},
		{App{}, archivedApp{}}, {Invite{}, archivedInvite{}}, {Acceptance{}, archivedAnswer{}}, {Notice{}, archivedNotice{}},
		{Message{}, archivedMessage{}}, {Request{}, archivedRequest{}}, {RequestStep{}, archivedStep{}}, {Run{}, archivedRun{}},
		{script.Effect{}, archivedEffect{}}, {Post{}, archivedPost{}}, {Hold{}, archivedHold{}}, {inactiveWarning{}, archivedInactive{}},
		{PolicyDraft{}, archivedDraft{}}, {exportRecord{}, archivedExport{}},
	} {
		pairs[reflect.TypeOf(p[0])] = reflect.TypeOf(p[1])
	}
	return pairs
}
