package testenv

import "testing"

// scipyTool is the library of Debian's own Python. Only a benchmark wants it, so it is not among tools: it comes when it is
// asked for.
func scipyTool() tool {
	return tool{name: "scipy", pack: "python3-scipy", places: []string{"/usr/lib/python3/dist-packages/scipy/__init__.py"}}
}

// Scipy gives the path of a Python that has SciPy and NumPy.
func Scipy(tb testing.TB) string {
	tb.Helper()
	program(tb, scipyTool())
	return pythonPath
}
