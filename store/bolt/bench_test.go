package bolt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"postern/store"
)

// account is a record of the size and with the indexes of a real one.
type account struct {
	Name        string            `json:"name"`
	Display     string            `json:"display"`
	Mail        string            `json:"mail"`
	MailProved  time.Time         `json:"mail_proved"`
	State       string            `json:"state"`
	Language    string            `json:"language"`
	Zone        string            `json:"zone"`
	Password    string            `json:"password"`
	PasswordSet time.Time         `json:"password_set"`
	Created     time.Time         `json:"created"`
	Fields      map[string]string `json:"fields,omitempty"`
}

func accountTable() *store.Table[account] {
	return store.NewTable("account", 1,
		store.Index[account]{Name: "name", Unique: true, Keys: func(a account) []string { return []string{a.Name} }},
		store.Index[account]{Name: "mail", Unique: true, Keys: func(a account) []string { return []string{a.Mail} }},
		store.Index[account]{Name: "state", Keys: func(a account) []string { return []string{a.State} }},
	)
}

// makeAccount invents the ith account: ids ascend, as ULIDs do; names do not.
func makeAccount(r *rand.Rand, i int) (string, account) {
	made := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
	name := fmt.Sprintf("%c%c%c%06d", 'a'+rune(r.IntN(26)), 'a'+rune(r.IntN(26)), 'a'+rune(r.IntN(26)), i)
	return fmt.Sprintf("01JGB%021d", i), account{
		Name: name, Display: "Someone " + name, Mail: name + "@example.org", MailProved: made,
		State: "active", Language: "en", Zone: "Europe/Berlin",
		Password: "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" +
			fmt.Sprintf("%043d", r.Uint64()),
		PasswordSet: made, Created: made, Fields: map[string]string{"member": strconv.Itoa(i)},
	}
}

// BenchmarkCommits measures raw writes with an fsync, commits of one small change
// by bbolt alone, and by our engine with 1, 10 and 100 writers, in one run, and
// the ratios between them. Each has a database of its own: the trees that a
// hundred writers leave behind are not the one writer's to walk.
// Wanted: one writer at least 0.30 of raw, 100 writers at least 3 times one.
func BenchmarkCommits(b *testing.B) {
	dir := dataDir(b)
	var stores [3]*Store
	for i := range stores {
		stores[i] = openTest(b, dir+strconv.Itoa(i))
		defer stores[i].Close()
	}
	bare := openBare(b, dir+"-bare.db")
	for b.Loop() {
		// In turns, so that whatever else the machine does falls on all of them.
		const rounds, each = 8, 250 * time.Millisecond
		var raw, alone, one, ten, hundred float64
		for range rounds {
			raw += rawSyncs(b, dir+"-raw", each) / rounds
			alone += bareCommits(b, bare, each) / rounds
			one += commits(b, stores[0], 1, each) / rounds
			ten += commits(b, stores[1], 10, each) / rounds
			hundred += commits(b, stores[2], 100, each) / rounds
		}
		b.ReportMetric(raw, "raw/s")
		b.ReportMetric(one, "one/s")
		b.ReportMetric(ten, "ten/s")
		b.ReportMetric(hundred, "hundred/s")
		b.ReportMetric(one/raw, "one/raw")
		b.ReportMetric(one/alone, "one/bbolt")
		b.ReportMetric(ten/one, "ten/one")
		b.ReportMetric(hundred/one, "hundred/one")
	}
}

// openBare opens a database of bbolt's with nothing of ours around it.
func openBare(b *testing.B, path string) *bbolt.DB {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("bare"))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// bareCommits is commits with one writer for bbolt alone.
func bareCommits(b *testing.B, db *bbolt.DB, d time.Duration) float64 {
	start, n := time.Now(), 0
	for ; time.Since(start) < d; n++ {
		err := db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("bare")).Put(fmt.Appendf(nil, "session\x00%03d-%04d", 0, n%1000), make([]byte, 200))
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// rawSyncs writes a page and syncs it, as often as it can, and returns how often a second.
func rawSyncs(b *testing.B, path string, d time.Duration) float64 {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := f.WriteAt(page, 64*4096); err != nil {
		b.Fatal(err)
	}
	start, n := time.Now(), 0
	for ; time.Since(start) < d; n++ {
		if _, err := f.WriteAt(page, int64(n%64)*4096); err != nil {
			b.Fatal(err)
		}
		if err := fdatasync(f); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// commits returns how many commits a second the writers make together.
func commits(b *testing.B, s store.Store, writers int, d time.Duration) float64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for w := range writers {
		wg.Go(func() {
			for i := 0; time.Since(start) < d; i++ {
				err := s.Update(context.Background(), func(tx store.Tx) error {
					return tx.Put(fmt.Appendf(nil, "session\x00%03d-%04d", w, i%1000), make([]byte, 200))
				})
				if err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// BenchmarkAccounts fills a sealed database, 100,000 accounts or as many as
// POSTERN_BENCH_ACCOUNTS says, and measures opening with a first read, the file
// against the payload (ids and JSON of the records), and pages of 100. Wanted
// with 1,000,000: opening under 10 ms, the file under 2.5 times the payload, the
// 99th percentile of pages under 5 ms.
func BenchmarkAccounts(b *testing.B) {
	count := 100_000
	if v, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_ACCOUNTS")); err == nil {
		count = v
	}
	dir := dataDir(b)
	people := accountTable()
	payload := fill(b, dir, people, count)
	info, err := os.Stat(filepath.Join(dir, DatabaseFile))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var opening []time.Duration
		for range 5 {
			start := time.Now()
			s := openTest(b, dir)
			err := s.View(context.Background(), func(tx store.Tx) error {
				_, err := people.Get(tx, fmt.Sprintf("01JGB%021d", count/2))
				return err
			})
			opening = append(opening, time.Since(start))
			if err != nil {
				b.Fatal(err)
			}
			s.Close()
		}
		s := openTest(b, dir)
		r := rand.New(rand.NewPCG(1, 2))
		firstHalf, first := percentiles(b, s, func(tx store.Tx) (int, error) {
			rows, err := people.Page(tx, "", 100)
			return len(rows), err
		})
		prefixHalf, prefix := percentiles(b, s, func(tx store.Tx) (int, error) {
			rows, err := people.PageBy(tx, "name", string([]byte{'a' + byte(r.IntN(26)), 'a' + byte(r.IntN(26))}), "", 100)
			return len(rows), err
		})
		s.Close()
		slices.Sort(opening)
		b.ReportMetric(float64(opening[2].Microseconds())/1000, "open-ms")
		b.ReportMetric(float64(info.Size())/float64(payload), "file/payload")
		b.ReportMetric(float64(info.Size())/(1<<20), "file-MiB")
		b.ReportMetric(float64(payload)/float64(count), "payload-B")
		b.ReportMetric(firstHalf, "first-p50-ms")
		b.ReportMetric(first, "first-p99-ms")
		b.ReportMetric(prefixHalf, "prefix-p50-ms")
		b.ReportMetric(prefix, "prefix-p99-ms")
	}
}

// fill stores the accounts, in transactions of a hundred, as an import would, and returns their payload in bytes.
func fill(b *testing.B, dir string, people *store.Table[account], count int) (payload int64) {
	s := openTest(b, dir)
	defer s.Close()
	start := time.Now()
	const batch = 100
	r := rand.New(rand.NewPCG(3, 4))
	for n := 0; n < count; n += batch {
		err := s.Update(context.Background(), func(tx store.Tx) error {
			for i := n; i < min(n+batch, count); i++ {
				id, a := makeAccount(r, i)
				if err := people.Insert(tx, id, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d accounts in %v", count, time.Since(start).Round(time.Millisecond))
	if err := s.View(context.Background(), func(tx store.Tx) error {
		var after []byte
		for {
			pairs, err := tx.Scan(people.Prefix(), after, 1000)
			if err != nil {
				return err
			}
			for _, p := range pairs {
				payload += int64(len(p.Key) - len(people.Prefix()) + len(p.Value))
			}
			if len(pairs) < 1000 {
				return nil
			}
			after = pairs[len(pairs)-1].Key
		}
	}); err != nil {
		b.Fatal(err)
	}
	return payload
}

// percentiles returns the 50th and 99th percentile of the time of fn, in
// milliseconds. On a machine that has other work the 99th is the other work's.
func percentiles(b *testing.B, s store.Store, fn func(tx store.Tx) (int, error)) (half, most float64) {
	var times []time.Duration
	for range 500 {
		start := time.Now()
		err := s.View(context.Background(), func(tx store.Tx) error {
			n, err := fn(tx)
			if err == nil && n == 0 {
				b.Error("an empty page")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	at := func(percent int) float64 { return float64(times[len(times)*percent/100].Microseconds()) / 1000 }
	return at(50), at(99)
}

// BenchmarkView measures one read of a small value through the seal.
func BenchmarkView(b *testing.B) {
	s := openTest(b, dataDir(b))
	defer s.Close()
	key := []byte("key")
	if err := s.Update(context.Background(), func(tx store.Tx) error { return tx.Put(key, make([]byte, 400)) }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.View(context.Background(), func(tx store.Tx) error {
			_, err := tx.Get(key)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
