package main

type decodeCommand struct {
	Camera decodeCameraCommand `cmd:"" help:"Read a push of a plate camera: one plate read a line."`
	Record decodeRecordCommand `cmd:"" help:"Read what a controller wrote of whole vehicles: one vehicle a line."`
	Toll   decodeTollCommand   `cmd:"" help:"Read what a toll or checkpoint system wrote: one transaction a line."`
	Modbus decodeModbusCommand `cmd:"" help:"Read what master and slave said to each other: one exchange a line."`
	Serial decodeSerialCommand `cmd:"" help:"Read what a static indicator sent on a serial line: one indication a line."`
}
