// Command pause holds a pod's namespaces open: it sleeps until it is told to end, and reaps what its children leave behind.
//
// Every pod's sandbox needs such a process; the usual image of it cannot be pulled on an air-gapped machine.
// Built with CGO_ENABLED=0 it is the only file of its image.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	// As process 1 of a pod that shares its process namespace, pause inherits orphans; unreaped they would fill the table.
	child := make(chan os.Signal, 1)
	signal.Notify(child, syscall.SIGCHLD)
	for {
		select {
		case <-end:
			return
		case <-child:
			reap()
		}
	}
}

func reap() {
	for {
		process, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if process <= 0 || err != nil {
			return
		}
	}
}
