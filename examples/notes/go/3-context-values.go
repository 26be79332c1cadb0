// SPDX-License-Identifier: MIT

// What belongs to a request, carried by its context.
package main

import (
	"context"
	"fmt"
)

type request struct {
	id   int
	user string
}

type requestKey struct{}

func withRequest(ctx context.Context, r *request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func requestOf(ctx context.Context) *request {
	return ctx.Value(requestKey{}).(*request)
}

func authorize(ctx context.Context) {
	r := requestOf(ctx)
	fmt.Printf("request %d: %s may come in\n", r.id, r.user)
}

func handle(ctx context.Context) {
	authorize(ctx)
	fmt.Printf("request %d: done\n", requestOf(ctx).id)
}

func main() {
	ctx := context.Background()

	handle(withRequest(ctx, &request{1, "Ada"}))
	handle(withRequest(ctx, &request{2, "Ben"}))
}
