package core_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/sms/smstest"
	"postern/store"
	"postern/store/memory"
)

// full is a store whose disk may have no room left.
type full struct {
	store.Store
	full   atomic.Bool
	writes atomic.Int32 // that were tried meanwhile
}

var errNoRoom = errors.New("no space left on device")

func (f *full) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f.full.Load() {
		f.writes.Add(1)
		return errNoRoom
	}
	return f.Store.Update(ctx, fn)
}

// fullDisk is a portal whose disk is full after n texts were queued.
func fullDisk(t *testing.T, n int) (*coretest.Place, *full, *smstest.Server, []core.Message) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	disk := &full{Store: db}
	server := smstest.New(t, smstest.Options{})
	p := coretest.New(t, coretest.WithStore(disk), coretest.WithProviders(nil, texter(t, server)))
	p.SetUp("lin")
	p.Set("messages.sms_allowance", "100")
	var list []core.Message
	for i := range n {
		list = append(list, textTo(t, p, i))
	}
	disk.full.Store(true)
	return p, disk, server, list
}

// The weakness: what could not be written down as sent went out again every half
// minute, for as long as the disk was full.
func TestWhatCannotBeWrittenDownIsNotSentAgain(t *testing.T) {
	p, disk, server, list := fullDisk(t, 3)
	deliver(t, p)
	server.Wait(t, 3)
	goesOn(p, 30*time.Minute)
	if n := len(server.Requests()); n != 3 {
		t.Errorf("3 messages were sent %d times", n)
	}
	if n := disk.writes.Load(); n < 10 || n > 45 { // 6 in the first minute, then one a minute
		t.Errorf("it was tried to write it down %d times in half an hour", n)
	}
	disk.full.Store(false)
	eventually(t, "written down", func() bool {
		p.Clock.Advance(10 * time.Second)
		return stateOf(t, p, list[2].ID).State == core.MessageSent
	})
	for _, m := range list {
		if now := stateOf(t, p, m.ID); now.State != core.MessageSent || now.Tries != 1 {
			t.Errorf("%+v", now)
		}
	}
	if u := use(t, p, core.ServiceSMS); u.Sent != 3 || u.Queued != 0 {
		t.Errorf("%+v", u)
	}
	// And the service goes on.
	becomes(t, p, textTo(t, p, 9).ID, core.MessageSent)
	if n := len(server.Requests()); n != 4 {
		t.Errorf("4 messages were sent %d times", n)
	}
}

// Of a long queue no more is sent than was on its way when the first could not be
// written down.
func TestNothingMoreIsSentWhileNothingCanBeWrittenDown(t *testing.T) {
	p, disk, server, list := fullDisk(t, 100)
	stop := deliver(t, p)
	server.Wait(t, 1)
	goesOn(p, 10*time.Minute)
	sent := len(server.Requests())
	if sent == 100 {
		t.Error("all of the queue was sent")
	}
	goesOn(p, 10*time.Minute)
	if n := len(server.Requests()); n != sent {
		t.Errorf("%d more were sent", n-sent)
	}
	disk.full.Store(false)
	stop() // a door that closes writes it down after all
	written := 0
	for _, m := range list {
		if stateOf(t, p, m.ID).State == core.MessageSent {
			written++
		}
	}
	if written != sent {
		t.Errorf("%d were sent, and %d are known as sent", sent, written)
	}
}
