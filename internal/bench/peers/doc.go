// Package peers measures rules.Judge beside general engines: expr, CEL and OPA. It holds tests only and is a module of
// its own, so that the product depends on none of them.
package peers
