package plaidsim

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"sync"
)

var logoCache sync.Map

// logoPNG draws a 152x152 mark in the bank's colour, as base64.
func logoPNG(hex string) string {
	if v, ok := logoCache.Load(hex); ok {
		return v.(string)
	}
	const size, center = 152, 76
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.Transparent, rgb(hex), color.White})
	for y := range size {
		for x := range size {
			dx, dy := x-center, y-center
			switch d := dx*dx + dy*dy; {
			case d <= 20*20, d <= 52*52 && d >= 40*40:
				img.SetColorIndex(x, y, 2)
			case d <= 74*74:
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return ""
	}
	out := base64.StdEncoding.EncodeToString(b.Bytes())
	logoCache.Store(hex, out)
	return out
}

func rgb(hex string) color.Color {
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return color.Black
	}
	return color.RGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
}
