//go:build unix

package core_test

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkVerifyExport verifies an export of POSTERN_BENCH_ENTRIES entries from
// files. Metrics: seconds for a million entries, to verify and to export with and
// without a proof; the size of the proof as a part of the file's; and the most
// memory that verifying had in use more than before, in MiB.
func BenchmarkVerifyExport(b *testing.B) {
	n := benchEntries(b)
	p, _ := longTrail(b, n)
	ok(b, core.MarkTrail(p.Portal))
	must(p.Audit.SealNow(ctx))(b)
	dir := b.TempDir()
	create := func(name string) *os.File {
		f := must(os.Create(filepath.Join(dir, name)))(b)
		b.Cleanup(func() { _ = f.Close() })
		return f
	}
	file, proof, plain := create("x.jsonl"), create("x.proof"), create("plain.jsonl")
	begun := time.Now()
	must(p.Audit.Export(ctx, coretest.Console(), core.AuditQuery{}, core.AuditJSONL, plain, nil))(b)
	without := time.Since(begun)
	begun = time.Now()
	must(p.Audit.ExportProved(ctx, coretest.Console(), core.AuditQuery{}, core.AuditJSONL, file, proof, nil))(b)
	with := time.Since(begun)
	size := func(f *os.File) float64 { return float64(must(f.Stat())(b).Size()) }

	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most, reads := uint64(0), 0
	watched := readerFunc(func(to []byte) (int, error) {
		if reads++; reads%20 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse-min(now.HeapInuse, before.HeapInuse))
		}
		return file.Read(to)
	})
	var took []time.Duration
	for b.Loop() {
		for _, f := range []*os.File{file, proof} {
			must(f.Seek(0, io.SeekStart))(b)
		}
		begun := time.Now()
		r, err := core.VerifyExport(core.ExportToVerify{File: watched, Proof: bufio.NewReader(proof), Key: coretest.HostKey(b).PublicKey()})
		took = append(took, time.Since(begun))
		if err != nil || r.Found != 0 || r.Sealed < n {
			b.Fatal(r, err)
		}
	}
	slices.Sort(took)
	million := 1e6 / float64(n)
	b.ReportMetric(took[len(took)/2].Seconds()*million, "s/million")
	b.ReportMetric(with.Seconds()*million, "s-to-export/million")
	b.ReportMetric(without.Seconds()*million, "s-without/million")
	b.ReportMetric(size(proof)/size(file), "of-file")
	b.ReportMetric(float64(most)/(1<<20), "MiB")
}

type readerFunc func(to []byte) (int, error)

func (f readerFunc) Read(to []byte) (int, error) { return f(to) }
