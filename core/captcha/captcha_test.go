package captcha

import (
	"image/color"
	"strings"
	"testing"
)

func TestAPictureShowsLettersOnWhite(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		p, err := Draw()
		if err != nil {
			t.Fatal(err)
		}
		seen[p.Text] = true
		if len(p.Text) != Length || strings.Trim(p.Text, Letters) != "" {
			t.Fatalf("the text %q", p.Text)
		}
		if b := p.Image.Bounds(); b.Dx() != Width || b.Dy() != Height {
			t.Fatalf("the picture is %v", b)
		}
		var ink, white int
		for y := range Height {
			for x := range Width {
				switch g := color.GrayModel.Convert(p.Image.At(x, y)).(color.Gray).Y; {
				case g < 0x60:
					ink++
				case g > 0xf0:
					white++
				}
			}
		}
		// Five bold letters are a tenth of the picture or more, and leave most of it white.
		if area := Width * Height; ink < area/20 || white < area/2 {
			t.Errorf("%s: %d dark and %d white points of %d", p.Text, ink, white, area)
		}
	}
	if len(seen) < 49 {
		t.Errorf("of 50 pictures only %d differ", len(seen))
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"ACDEF", " a c d e f ", "ａｃｄ４７", "\xff", "17", strings.Repeat("x", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalize(s)
		if again := Normalize(n); again != n && len(n) <= maxAnswer {
			t.Errorf("%q becomes %q and then %q", s, n, again)
		}
		if strings.ContainsAny(n, " \t\n") {
			t.Errorf("%q keeps its blanks: %q", s, n)
		}
	})
}

// BenchmarkDraw draws one picture: what a stranger who asks for many costs.
func BenchmarkDraw(b *testing.B) {
	for b.Loop() {
		if _, err := Draw(); err != nil {
			b.Fatal(err)
		}
	}
}
