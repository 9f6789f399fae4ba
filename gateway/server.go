// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ListenOptions say where to listen.
type ListenOptions struct {
	// Address is host:port; port 0 picks a free one.
	Address string
	// Certificate and Key are paths of PEM files; both or none.
	Certificate, Key string
}

// Listen opens the listener. It answers nobody yet.
func Listen(ctx context.Context, o ListenOptions) (net.Listener, error) {
	if (o.Certificate == "") != (o.Key == "") {
		return nil, errors.New("a TLS certificate needs its key, and the key its certificate")
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if o.Certificate == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("load the TLS certificate: %w", err)
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

// IsLoopback reports whether only this machine can reach an address.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Server serves one listener.
type Server struct {
	server *http.Server
	done   chan error
}

// Serve begins to answer on listener, in a goroutine of its own.
func Serve(listener net.Listener, handler http.Handler, logger *slog.Logger) *Server {
	s := &Server{
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.server.Serve(listener) }()
	return s
}

// Done delivers the error that ended serving, http.ErrServerClosed after Stop.
func (s *Server) Done() <-chan error { return s.done }

// Stop takes no new requests, and waits for those under way until ctx is done; then it cuts them off and returns ctx's
// error.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	return err
}
