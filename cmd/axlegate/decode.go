package main

type decodeCommand struct {
	Camera decodeCameraCommand `cmd:"" help:"Read a push of a plate camera: one plate read a line."`
}
