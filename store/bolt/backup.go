package bolt

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"postern/store"
)

// A backup is one file: a line that says what it is, a line of JSON with a
// BackupInfo, the database as it was at one moment, and a trailer: the SHA-256
// of all that, and a tag over that sum made with the keyset, so that nobody
// without the keyset can make or change one. The values in it are sealed, and
// the keyset is not in it: backups may then lie where the keyset must not. It
// has to be kept as well, apart, and anew after every rotation.
const backupMagic = "postern backup 1\n"

// BackupInfo says what a backup holds.
type BackupInfo struct {
	ID      string    `json:"id"`     // of the database
	Keyset  string    `json:"keyset"` // fingerprint
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	Size    int64     `json:"size"` // of the database, in bytes
	Pairs   int       `json:"-"`    // keys that VerifyBackup read
}

// maxInfo bounds the line of JSON.
const maxInfo = 4096

// Backup writes a backup to w while others go on reading and writing. It holds
// one snapshot for as long as that takes, so w should not be slow for long.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	return s.snapshot(ctx, func(tx *bbolt.Tx) error {
		info, err := json.Marshal(BackupInfo{
			ID: s.id, Keyset: s.keys.Fingerprint(), Format: format,
			Created: time.Now().UTC().Truncate(time.Second), Size: tx.Size(),
		})
		if err != nil {
			return err
		}
		out := &summed{ctx: ctx, w: w, sum: sha256.New()}
		if _, err := fmt.Fprintf(out, "%s%s\n", backupMagic, info); err != nil {
			return err
		}
		if _, err := tx.WriteTo(out); err != nil {
			return err
		}
		sum := out.sum.Sum(nil)
		tag, err := s.keys.Tag(sum)
		if err != nil {
			return err
		}
		_, err = w.Write(append(sum, tag...))
		return err
	})
}

// summed writes through, until ctx is done, and sums what it writes.
type summed struct {
	ctx context.Context
	w   io.Writer
	sum hash.Hash
}

// Write implements io.Writer.
func (s *summed) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	return n, err
}

// readBackup reads a backup, hands the database in it to body, and proves
// checksum and tag.
func readBackup(ctx context.Context, path string, keys *store.Keyset, body io.Writer) (info BackupInfo, err error) {
	refuse := func(detail string) (BackupInfo, error) {
		return info, &OpenError{Code: CodeDamagedBackup, Path: path, Detail: detail, Fix: "use another backup"}
	}
	f, err := os.Open(path)
	if err != nil {
		return info, unreadable(path, err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	head, err := readLines(in, 2, len(backupMagic)+maxInfo)
	if err != nil || !strings.HasPrefix(head, backupMagic) {
		return refuse("this is not a Postern backup")
	}
	d := json.NewDecoder(strings.NewReader(head[len(backupMagic):]))
	d.DisallowUnknownFields()
	if d.Decode(&info) != nil || info.Size <= 0 {
		return refuse("the head of the backup is damaged")
	}
	if info.Format > format {
		return info, &OpenError{Code: CodeNewer, Path: path,
			Detail: fmt.Sprintf("the backup has format %d, this program knows %d", info.Format, format),
			Fix:    "use the newer version of postern that wrote it"}
	}
	if info.Keyset != keys.Fingerprint() {
		return info, &OpenError{Code: CodeWrongKeyset, Path: path,
			Detail: "the backup was made with another keyset", Fix: "name the keyset that belongs to it"}
	}
	out := &summed{ctx: ctx, w: body, sum: sha256.New()}
	out.sum.Write([]byte(head))
	if _, err := io.CopyN(out, in, info.Size); err != nil {
		if errors.Is(err, io.EOF) {
			return refuse("the backup is cut off")
		}
		return info, err
	}
	trailer, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return info, unreadable(path, err)
	}
	sum := out.sum.Sum(nil)
	if !bytes.HasPrefix(trailer, sum) {
		return refuse("the checksum of the backup is wrong")
	}
	if keys.Verify(trailer[len(sum):], sum) != nil {
		return info, &OpenError{Code: CodeWrongKeyset, Path: path,
			Detail: "the backup is not signed by this keyset", Fix: "name the newest copy of the keyset that belongs to it"}
	}
	return info, nil
}

// readLines reads n lines of at most limit bytes together.
func readLines(r *bufio.Reader, n, limit int) (string, error) {
	var b strings.Builder
	for n > 0 {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		b.WriteByte(c)
		if c == '\n' {
			n--
		}
		if b.Len() > limit {
			return "", errors.New("bolt: line too long")
		}
	}
	return b.String(), nil
}
